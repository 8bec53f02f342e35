// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { numberMisfit } from "../forms/form-of.ts";
import { corrected, listedIn, type Misfit, misfitOf, WHOLE } from "../forms/text-form.ts";
import { WELL_KNOWN_HEADERS } from "../names/header-names.ts";
import type { Inferred } from "../inference/inferred.ts";
import { headerName } from "../names/names.ts";
import { looksLikePattern, patternLiteral } from "../patterns.ts";
import type { Operand, TextTest } from "../inference/text-tests.ts";
import { type Advice, isData, note, writtenSubject } from "./note.ts";

/** Checks `=`, `!=`, and `in` with each item of its list. */
export function checkWholes(test: TextTest, inference: Inferred): void {
  const faults = test.constants.map((constant) => ({ constant, misfit: misfitOfWhole(test, constant) }));
  const inText = test.written === "in" && !isItem(test) && isOneText(test);
  const isRewritten = faults.some(({ misfit }) => misfit?.condition !== undefined);
  const subject = writtenSubject(test, inference);
  for (const { constant, misfit } of faults) {
    if (misfit === undefined) continue;
    const { form } = test.subject.shape;
    const text = String(constant.shape.constant);
    const fixed = form && !isRewritten ? corrected(form, text, WHOLE) : undefined;
    const several = misfit.texts?.map((item) =>
      JSON.stringify((form && corrected(form, item, WHOLE)) ?? item),
    );
    if (inText && several !== undefined && several.length > 1)
      note(test, constant, misfit, inference, { at: constant, suggestion: `[${several.join(", ")}]` });
    else if (fixed !== undefined)
      note(test, constant, misfit, inference, { at: constant, suggestion: JSON.stringify(fixed) });
    else if (several !== undefined && several.length > 1 && !isRewritten)
      note(test, constant, misfit, inference, severalOf(test, constant, several, subject));
    else if (isRewritten && subject !== undefined)
      return note(test, constant, misfit, inference, { suggestion: rewritten(test, faults, subject) });
    else note(test, constant, misfit, inference, {});
  }
}

function severalOf(
  test: TextTest,
  constant: Operand,
  several: readonly string[],
  subject: string | undefined,
): Advice {
  if (test.written === "in") return { at: constant, suggestion: several.join(", ") };
  if (subject === undefined) return {};
  const among = `${subject} in [${several.join(", ")}]`;
  return { suggestion: test.written === "!=" ? `$not(${among})` : among };
}

/** The test rewritten as one condition for each constant. */
function rewritten(
  { written, constants }: TextTest,
  faults: readonly { readonly constant: Operand; readonly misfit: Misfit | undefined }[],
  subject: string,
): string {
  const conditions = faults.map(({ constant, misfit }) => {
    const [fixed] = misfit?.texts ?? [];
    return misfit?.condition?.(subject) ?? `${subject} = ${JSON.stringify(fixed ?? constant.shape.constant)}`;
  });
  if (constants.length > 1) return `(${conditions.join(" or ")})`;
  return written === "!=" ? `$not(${conditions.join()})` : conditions.join();
}

function isOneText({ constants }: TextTest): boolean {
  return constants.length === 1 && typeof constants[0]?.shape.constant === "string";
}

function misfitOfWhole(test: TextTest, { shape, node }: Operand): Misfit | undefined {
  const { form, declaration, place } = test.subject.shape;
  const { constant } = shape;
  if (typeof constant === "number") {
    const reason =
      place?.join(".") === declaration?.name ? numberMisfit(declaration?.form, constant) : undefined;
    return reason === undefined ? undefined : { reason };
  }
  if (typeof constant !== "string") return undefined;
  const list = test.written === "in" && node !== undefined && !isItem(test) ? listedIn(constant) : undefined;
  if (list !== undefined && isData(test))
    return { reason: `"in" looks for it in a list, and this is one text`, texts: list };
  const misfit = form === undefined ? wildcardMisfit(test, constant) : misfitOf(form, constant, WHOLE);
  if (misfit?.condition !== undefined || !looksLikePattern(constant) || !isData(test)) return misfit;
  return {
    reason: "this is a regular expression, and compared as a text",
    condition: (subject) => `$contains(${subject}, ${patternLiteral(constant)})`,
  };
}

/** Notes a wildcard in a text of unknown form: `claims.email = "*@example.com"`. */
function wildcardMisfit({ subject }: TextTest, text: string): Misfit | undefined {
  const { declaration, place } = subject.shape;
  const header = headerName(declaration, place);
  // A star is a legal value in HTTP: `Accept: text/*`, `If-Match: *`.
  if (
    place === undefined ||
    (header !== undefined && WELL_KNOWN_HEADERS.has(header) && header !== "user-agent")
  )
    return undefined;
  const isWildcard = text === "*" || /^\*{1,2}[^*]*\w[^*]*$|^[^*]*\w[^*]*\*{1,2}$/.test(text);
  if (!isWildcard) return undefined;
  const reason = "this compares the text as it stands: wildcards are for $glob";
  if (text === "*") return { reason, condition: (value) => `$exists(${value})` };
  return { reason, condition: (value) => `$glob(${value}, ${JSON.stringify(text)})` };
}

/** Whether the constants are the items of a list that is written out. */
function isItem({ node }: TextTest): boolean {
  return node.rhs?.type === "unary";
}
