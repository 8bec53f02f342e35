// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Misfit } from "../forms/text-form.ts";
import type { Inferred } from "../inference/inferred.ts";
import { type Operand, subjectText, type TestManner, type TextTest } from "../inference/text-tests.ts";

const VERBS: Readonly<Record<TestManner, string>> = {
  equal: "be",
  start: "begin with",
  end: "end with",
  part: "contain",
  pattern: "match",
  glob: "match",
  template: "match",
  block: "be in",
  order: "be ordered beside",
};

export interface Advice {
  /** The operand that the suggestion replaces; the whole test when absent. */
  readonly at?: Operand;
  readonly suggestion?: string;
}

export function note(
  test: TextTest,
  constant: Operand,
  misfit: Misfit,
  { findings }: Inferred,
  { at, suggestion }: Advice,
): void {
  const isPlaced = suggestion === undefined || at === undefined || at.node !== undefined;
  const written =
    constant.node === undefined ? JSON.stringify(constant.shape.constant) : findings.textOf(constant.node);
  const subject = subjectText(test.subject, findings) ?? "the value";
  findings.add((suggestion === undefined ? constant.node : at?.node) ?? test.node, {
    code: "PURSER_EXPR_IMPOSSIBLE",
    severity: "warning",
    message: `${subject} can never ${VERBS[test.manner]} ${written}: ${misfit.reason}`,
    ...(suggestion === undefined || !isPlaced ? {} : { suggestion }),
  });
}

/**
 * The subject's text, for a suggestion that replaces the whole test: only a test that names its subject can
 * be rewritten.
 */
export function writtenSubject({ subject }: TextTest, { findings }: Inferred): string | undefined {
  return subject.node && findings.textOf(subject.node);
}

/** Whether the subject is an attribute, or is computed from one. */
export function isData({ subject }: TextTest): boolean {
  return subject.shape.place !== undefined || subject.shape.form !== undefined;
}
