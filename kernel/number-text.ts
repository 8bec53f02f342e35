// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The text of each number below a thousand, and the same with three digits. */
const BELOW_THOUSAND = Array.from({ length: 1_000 }, (_, value) => String(value));
const THREE_DIGITS = BELOW_THOUSAND.map((text) => text.padStart(3, "0"));
/** The thousandths of a number by their count: `.25` for 250. */
const THOUSANDTHS = THREE_DIGITS.map((text, value) => (value === 0 ? "" : `.${text.replace(/0+$/, "")}`));

/**
 * The largest number whose text is made here. A decimal of at most 15 digits is the shortest one of its double, so that its
 * digits are those of JavaScript's own text; three digits are left for the thousandths.
 */
const MAX = 999_999_999_999;

/**
 * The text of a number, as `String` gives it, for numbers that hardly ever come twice: what is left of a quota, a duration.
 *
 * V8 keeps the texts that it makes of numbers in a table, which promotes each to the old generation.
 */
export function numberText(value: number): string {
  if (value >= 0 && value <= MAX) {
    const thousandths = Math.round(value * 1_000);
    // A quotient of two whole numbers is rounded once, so that it is the double of the decimal.
    if (thousandths / 1_000 === value) {
      const whole = Math.floor(thousandths / 1_000);
      return wholeText(whole) + (THOUSANDTHS[thousandths - whole * 1_000] as string);
    }
  }
  return String(value);
}

function wholeText(value: number): string {
  if (value < 1_000) return BELOW_THOUSAND[value] as string;
  const thousands = Math.floor(value / 1_000);
  return wholeText(thousands) + (THREE_DIGITS[value - thousands * 1_000] as string);
}
