// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { corrected, misfitOf, type Span } from "../forms/text-form.ts";
import type { Inferred } from "../inference/inferred.ts";
import { looksLikePattern, patternLiteral } from "../patterns.ts";
import type { TestManner, TextTest } from "../inference/text-tests.ts";
import { isData, note, writtenSubject } from "./note.ts";

const SPANS: Readonly<Partial<Record<TestManner, Span>>> = {
  start: { start: true, end: false },
  end: { start: false, end: true },
  part: { start: false, end: false },
  order: { start: true, end: false },
};

/** Checks `$contains`, `$startsWith`, `$endsWith`, and `<` between times. */
export function checkPart(test: TextTest, inference: Inferred): void {
  const [constant] = test.constants;
  const span = SPANS[test.manner];
  const text = constant?.shape.constant;
  if (constant === undefined || span === undefined || typeof text !== "string") return;
  const { form } = test.subject.shape;
  const subject = writtenSubject(test, inference);
  const misfit = form && misfitOf(form, text, span);
  const condition = subject === undefined ? undefined : misfit?.condition?.(subject);
  if (condition === undefined && test.manner !== "order" && isData(test) && looksLikePattern(text)) {
    const reason = "this is a regular expression, and looked for as a text";
    const pattern = patternLiteral(anchored(text, span));
    const advice = subject === undefined ? {} : { suggestion: `$contains(${subject}, ${pattern})` };
    note(test, constant, { reason }, inference, advice);
    return;
  }
  if (misfit === undefined) return;
  const fixed = form && corrected(form, text, span);
  if (fixed !== undefined)
    note(test, constant, misfit, inference, { at: constant, suggestion: JSON.stringify(fixed) });
  else note(test, constant, misfit, inference, condition === undefined ? {} : { suggestion: condition });
}

function anchored(text: string, { start, end }: Span): string {
  return `${start && !text.startsWith("^") ? "^" : ""}${text}${end && !text.endsWith("$") ? "$" : ""}`;
}
