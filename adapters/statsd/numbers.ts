// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A finite number without an exponent, which not every server reads; less than 1e-20 becomes 0. */
export function toDecimal(value: number): string {
  const text = String(value);
  if (!text.includes("e")) return text;
  // A number that has an exponent is an integer from 1e21 on, or below 1e-6.
  if (Math.abs(value) >= 1) return BigInt(value).toString();
  const decimal = value.toFixed(20).replace(/0+$/, "");
  return decimal.endsWith(".") ? "0" : decimal;
}

/** Milliseconds in a unit of time; other units are sent as they are. */
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, us: 1e-3, µs: 1e-3, ns: 1e-6 };

/** The value of a timer, which statsd takes in milliseconds. */
export function toMilliseconds(value: number, unit: string | undefined): number {
  return unit !== undefined && Object.hasOwn(UNIT_MS, unit) ? value * (UNIT_MS[unit] as number) : value;
}
