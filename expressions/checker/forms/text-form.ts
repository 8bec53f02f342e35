// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The place of a constant in a value: at its start, at its end, or (both) the whole value. */
export interface Span {
  readonly start: boolean;
  readonly end: boolean;
}

export const WHOLE: Span = { start: true, end: true };

/** The reason why no value of a form contains a constant, and the constant that was probably meant. */
export interface Misfit {
  /** A sentence without its full stop: `a host has no port`. */
  readonly reason: string;
  /** The texts to write in place of the constant; if several, the value was meant to be one of them. */
  readonly texts?: readonly string[];
  /** The condition to write in place of `subject = constant`. */
  readonly condition?: (subject: string) => string;
}

/** The texts that an attribute, or a value computed from one, can be. */
export interface TextForm {
  /** The form's name for messages: `a host`. */
  readonly noun: string;
  readonly letters: "any" | "lower" | "upper";
  /** Whether some value of the form is also a number. */
  readonly numeric: boolean;
  /** All values of the form, if it has only these. */
  readonly values?: readonly string[];
  /**
   * The kind of decision that tests of this form make: hosts and addresses are trusted, paths are routed by.
   */
  readonly family?: "host" | "address" | "url-path" | "path";
  /** The reason why no value can have `text` in that place, ignoring case; undefined when a value can. */
  misfit(text: string, span: Span): Misfit | undefined;
}

/** The form of a text of which only the case is known. */
export function anyText(letters: TextForm["letters"]): TextForm {
  return {
    noun: letters === "any" ? "it" : `the result of $${letters}case`,
    letters,
    numeric: true,
    misfit: () => undefined,
  };
}

/** The reason why no value of `form` has `text` in that place, including its case. */
export function misfitOf(form: TextForm, text: string, span: Span): Misfit | undefined {
  const misfit = form.misfit(text, span);
  if (misfit !== undefined) return misfit;
  const written = inLetters(text, form.letters);
  if (written === text) return undefined;
  const letters = form.letters === "lower" ? "lower case" : "upper case";
  return { reason: `${form.noun} is in ${letters}`, texts: [written] };
}

export function inLetters(text: string, letters: TextForm["letters"]): string {
  return letters === "any" ? text : letters === "lower" ? text.toLowerCase() : text.toUpperCase();
}

/**
 * `form` without regard to case, as within `$lowercase`: escapes in a path have upper-case digits otherwise.
 */
export function ignoringLetters(form: TextForm): TextForm {
  const inCapitals = (text: string): string =>
    text.replace(/%[0-9a-f]{2}/gi, (escape) => escape.toUpperCase());
  return { ...form, letters: "any", misfit: (text, span) => form.misfit(inCapitals(text), span) };
}

/** Most mistakes of one constant that are corrected one after the other. */
const MAX_MISTAKES = 6;

/** `text` with its mistakes corrected; undefined when a mistake has no single correction. */
export function corrected(form: TextForm, text: string, span: Span): string | undefined {
  let current = text;
  for (let mistake = 0; mistake < MAX_MISTAKES; mistake++) {
    const misfit = misfitOf(form, current, span);
    if (misfit === undefined) return current;
    const [only, ...more] = misfit.texts ?? [];
    if (only === undefined || more.length > 0 || only === current) return undefined;
    current = only;
  }
  return undefined;
}

/** The texts of a list that is written as one text: `GET,HEAD`. */
export function listedIn(text: string): readonly string[] | undefined {
  const parts = text.split(/[\s,;|]+/).filter((part) => part !== "");
  return parts.length > 1 ? parts : undefined;
}

/** Corrects a list that is written as one text. */
export function listMisfit(noun: string, text: string): Misfit | undefined {
  const texts = listedIn(text);
  return texts && { reason: `${noun} is one text, and ${JSON.stringify(text)} lists several`, texts };
}
