// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Where a constant stands in a value: at its start, at its end, or (both) as the whole of it. */
export interface Span {
  readonly start: boolean;
  readonly end: boolean;
}

export const WHOLE: Span = { start: true, end: true };

/** Why no value of a form has a constant in it, and what was probably meant. */
export interface Misfit {
  /** A sentence without its stop: `a host has no port`. */
  readonly reason: string;
  /** The texts to write in place of the constant; of several, the value was meant to be one. */
  readonly texts?: readonly string[];
  /** The condition to write in place of `subject = constant`. */
  readonly condition?: (subject: string) => string;
}

/** What the texts of an attribute, or of what is computed from one, can be. */
export interface TextForm {
  /** For messages: `a host`. */
  readonly noun: string;
  readonly letters: "any" | "lower" | "upper";
  /** Whether some value can be read as a number. */
  readonly numeric: boolean;
  /** All values, where there are but these. */
  readonly values?: readonly string[];
  /** For what makes the sense of a test: hosts and addresses are trusted, paths are routed by. */
  readonly family?: "host" | "address" | "url-path" | "path";
  /** Why no value can have `text` there, letters aside; undefined when one can. */
  misfit(text: string, span: Span): Misfit | undefined;
}

/** A text of which nothing is known but its letters. */
export function anyText(letters: TextForm["letters"]): TextForm {
  return {
    noun: letters === "any" ? "it" : `what $${letters}case gives`,
    letters,
    numeric: true,
    misfit: () => undefined,
  };
}

/** Why no value of `form` has `text` there, letters included. */
export function misfitOf(form: TextForm, text: string, span: Span): Misfit | undefined {
  const misfit = form.misfit(text, span);
  if (misfit !== undefined) return misfit;
  const written = inLetters(text, form.letters);
  if (written === text) return undefined;
  const letters = form.letters === "lower" ? "small letters" : "capitals";
  return { reason: `${form.noun} is in ${letters}`, texts: [written] };
}

export function inLetters(text: string, letters: TextForm["letters"]): string {
  return letters === "any" ? text : letters === "lower" ? text.toLowerCase() : text.toUpperCase();
}

/** `form` where letters do not count, as within `$lowercase`: the escapes of a path have capital digits otherwise. */
export function ignoringLetters(form: TextForm): TextForm {
  const inCapitals = (text: string): string =>
    text.replace(/%[0-9a-f]{2}/gi, (escape) => escape.toUpperCase());
  return { ...form, letters: "any", misfit: (text, span) => form.misfit(inCapitals(text), span) };
}

/** Most mistakes of one constant that are put right one after the other. */
const MAX_MISTAKES = 6;

/** `text` put right, mistake by mistake; undefined when a mistake says no single text to write. */
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

/** `GET,HEAD`: the texts of a list that is written as one text. */
export function listedIn(text: string): readonly string[] | undefined {
  const parts = text.split(/[\s,;|]+/).filter((part) => part !== "");
  return parts.length > 1 ? parts : undefined;
}

/** What a list written as one text was meant to be. */
export function listMisfit(noun: string, text: string): Misfit | undefined {
  const texts = listedIn(text);
  return texts && { reason: `${noun} is one text, and ${JSON.stringify(text)} lists several`, texts };
}
