// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { canonicalMethod } from "../../../kernel/canonical/method.ts";
import { STATUS_CODES } from "../../../kernel/status.ts";
import { suggest } from "../../../kernel/suggest.ts";
import { listedIn, listMisfit, type Misfit, type TextForm } from "./text-form.ts";

/** `request.method`: any token, in upper case. */
export const METHOD: TextForm = {
  noun: "a method",
  letters: "upper",
  numeric: false,
  misfit(text, { start, end }) {
    const list = listMisfit("a method", text);
    // A bar is legal in a method, but joins several methods where words stand on both sides.
    const isToken = canonicalMethod(text) === text.toUpperCase();
    if (list !== undefined && (!isToken || /^[A-Za-z]{3,}(?:\|[A-Za-z]{3,})+$/.test(text))) return list;
    if (text === "") return start && end ? { reason: "a method is never empty" } : undefined;
    const method = canonicalMethod(text);
    return typeof method === "string" ? undefined : { reason: `${JSON.stringify(text)} ${method.reason}` };
  },
};

/** The form of an attribute that has one of a few texts. */
export function oneOf(values: readonly string[]): TextForm {
  return {
    noun: "it",
    letters: "any",
    numeric: values.some((value) => value.trim() !== "" && Number.isFinite(Number(value))),
    values,
    misfit(text, { start, end }) {
      const fits = (value: string): boolean =>
        start && end
          ? value === text
          : start
            ? value.startsWith(text)
            : end
              ? value.endsWith(text)
              : value.includes(text);
      if (values.some(fits)) return undefined;
      const reason = `it is one of ${values.map((value) => JSON.stringify(value)).join(", ")}`;
      return { reason, ...nearest(text, values) };
    },
  };
}

function nearest(text: string, values: readonly string[]): Pick<Misfit, "texts"> {
  const same = (wanted: string) => values.find((value) => value.toLowerCase() === wanted.toLowerCase());
  const listed = listedIn(text)?.map(same);
  if (listed?.every((value) => value !== undefined) === true) return { texts: listed as readonly string[] };
  const short = text.length < 3 ? undefined : text.toLowerCase().replace(/\.$/, "");
  const long = short && values.find((value) => value.toLowerCase().startsWith(short));
  const near = same(text) ?? same(text.replace(/:\/*$/, "")) ?? long ?? suggest(text, values);
  return near === undefined ? {} : { texts: [near] };
}

/** `source.principal`: a SPIFFE ID without its scheme. */
export const PRINCIPAL: TextForm = {
  noun: "a principal",
  letters: "any",
  numeric: false,
  misfit: (text, { start }) =>
    start && text.startsWith("spiffe://")
      ? { reason: "a principal is written without spiffe://", texts: [text.slice("spiffe://".length)] }
      : undefined,
};

/** `request.auth.principal`: issuer/subject. */
export const TOKEN_PRINCIPAL: TextForm = {
  noun: "a token's principal",
  letters: "any",
  numeric: false,
  misfit: (text, { start, end }) =>
    start && end && !text.includes("/")
      ? {
          reason: "it is the token's issuer and subject, joined by a slash",
          condition: (subject) => `$endsWith(${subject}, ${JSON.stringify(`/${text}`)})`,
        }
      : undefined,
};

/** `request.trace_id`: hexadecimal digits in lower case. */
export function hexadecimal(digits: number): TextForm {
  const reason = `it is ${digits} hexadecimal digits in lower case`;
  return {
    noun: "an id",
    letters: "lower",
    numeric: true,
    misfit(text, { start, end }) {
      const fits = /^[0-9a-f]*$/i.test(text) && text.length <= digits;
      return fits && (text.length === digits || !start || !end) ? undefined : { reason };
    },
  };
}

/** `response.grpc_status`: a number written as text. */
export const GRPC_STATUS: TextForm = {
  noun: "a gRPC status",
  letters: "any",
  numeric: true,
  misfit(text) {
    if (/^\d*$/.test(text)) return undefined;
    const named = text.toUpperCase().replace(/[\s-]+/g, "_");
    const code = (STATUS_CODES as readonly string[]).indexOf(named);
    return { reason: "it is the number of a code, as text", ...(code < 0 ? {} : { texts: [String(code)] }) };
  },
};

const INSTANT = "0000-00-00T00:00:00.000Z";

/** A TIMESTAMP: ISO 8601 in UTC. */
export const TIMESTAMP: TextForm = {
  noun: "a time",
  letters: "upper",
  numeric: false,
  misfit(text, { start, end }) {
    if (!start) return undefined;
    const shape = text.toUpperCase().replace(/\d/g, "0");
    const whole = shape === INSTANT || shape === INSTANT.replace(".000", "");
    if (whole || (!end && (INSTANT.startsWith(shape) || INSTANT.replace(".000", "").startsWith(shape))))
      return undefined;
    return { reason: "a time is ISO 8601 text in UTC, such as 2026-01-31T09:30:00.000Z" };
  },
};
