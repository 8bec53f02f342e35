// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TextOfResult } from "../../functions/definition.ts";
import type { AttributeForm } from "../../manifest/forms.ts";
import type { AttributeDeclaration } from "../../manifest/manifest.ts";
import { ADDRESS } from "./address.ts";
import { HOST } from "./host.ts";
import { PATH, URL_PATH } from "./path.ts";
import { anyText, ignoringLetters, inLetters, type Span, type TextForm } from "./text-form.ts";
import { GRPC_STATUS, hexadecimal, METHOD, oneOf, PRINCIPAL, TIMESTAMP, TOKEN_PRINCIPAL } from "./words.ts";

/** The forms whose values are texts. */
const TEXT_FORMS: Readonly<Partial<Record<AttributeForm, TextForm>>> = {
  method: METHOD,
  address: ADDRESS,
  host: HOST,
  path: PATH,
  "url-path": URL_PATH,
  principal: PRINCIPAL,
  "token-principal": TOKEN_PRINCIPAL,
  "trace-id": hexadecimal(32),
  "span-id": hexadecimal(16),
  "grpc-status": GRPC_STATUS,
  timestamp: TIMESTAMP,
};

/** The texts that an attribute can have; undefined when nothing is known of them. */
export function formOf({ form, values }: AttributeDeclaration): TextForm | undefined {
  if (values !== undefined) return oneOf(values);
  return form && TEXT_FORMS[form];
}

/** Smallest and largest value of each numeric form, and a value that is legal outside that range. */
const RANGES: Readonly<
  Partial<Record<AttributeForm, readonly [least: number, most: number, extra: number]>>
> = {
  port: [0, 65_535, 0],
  "http-status": [100, 999, 0],
};

/** The reason why no value of `form` is `value`. */
export function numberMisfit(form: AttributeForm | undefined, value: number): string | undefined {
  const range = form && RANGES[form];
  if (range === undefined) return undefined;
  const [least, most, extra] = range;
  if (value === extra || (Number.isInteger(value) && value >= least && value <= most)) return undefined;
  return `it is a whole number from ${least} to ${most}`;
}

/** The form of a call's first argument, and the constants after it, up to the first that is not constant. */
interface CallFacts {
  readonly form: TextForm | undefined;
  readonly constants: readonly unknown[];
}

/**
 * The texts that a call's result, or the items of its list, can be.
 *
 * @param text How the result is related to the first argument.
 */
export function formOfCall(
  text: TextOfResult | undefined,
  { form, constants }: CallFacts,
): TextForm | undefined {
  const [separator] = constants;
  const known = typeof separator === "string" && separator !== "" ? separator : undefined;
  switch (text) {
    case "same":
      return form;
    case "lower":
    case "upper":
      return lettered(form, text);
    case "before":
      if (form === PATH && known === "?") return URL_PATH;
      return known === undefined ? undefined : partOf(form, { start: true, end: false }, known);
    case "after":
      return partOf(form, { start: false, end: true });
    case "slice":
      return partOf(form, { start: separator === 0, end: constants.length === 1 });
    case "parts":
      return partOf(form, { start: false, end: false }, known);
    case undefined:
      return undefined;
  }
}

function lettered(form: TextForm | undefined, letters: "lower" | "upper"): TextForm {
  if (form === undefined) return anyText(letters);
  const noun = `the result of $${letters}case`;
  if (form.values === undefined) return { ...ignoringLetters(form), noun, letters };
  return { ...oneOf(form.values.map((value) => inLetters(value, letters))), noun, letters };
}

/**
 * A part of a text: its start or its end, where `kept` says so. `without`: a text that the part never
 * contains.
 */
function partOf(form: TextForm | undefined, kept: Span, without?: string): TextForm | undefined {
  if (form === undefined && without === undefined) return undefined;
  return {
    noun: "it",
    letters: form?.letters ?? "any",
    numeric: true,
    misfit(text, span) {
      if (without !== undefined && text.includes(without)) {
        const rest = text.split(without).filter((part) => part !== "");
        const reason = `it is a part between ${JSON.stringify(without)}, which is never in it`;
        return { reason, ...(rest.length === 1 ? { texts: rest } : {}) };
      }
      return form?.misfit(text, { start: span.start && kept.start, end: span.end && kept.end });
    },
  };
}
