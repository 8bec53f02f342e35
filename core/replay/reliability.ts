// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import type { DecisionLogLine } from "./log-line.ts";

/** An attribute that a decision read and that the log has only redacted, hashed or cut. */
export interface UnreliableRead {
  readonly attribute: string;
  readonly reason: "redacted" | "hashed" | "cut";
}

/** The reads that make a replayed decision unreliable. A mere presence test is reliable. */
export function unreliableReads(
  referenced: readonly AttributeReference[],
  line: Pick<DecisionLogLine, "redacted" | "hashed" | "cut">,
): readonly UnreliableRead[] {
  const reads: UnreliableRead[] = [];
  for (const reason of ["redacted", "hashed", "cut"] as const) {
    for (const attribute of line[reason]) {
      if (referenced.some((reference) => readsFrom(reference, attribute))) reads.push({ attribute, reason });
    }
  }
  return reads;
}

/** Whether the attribute's value, or an object that contains it, was read. */
function readsFrom({ path, condition }: AttributeReference, attribute: string): boolean {
  if (condition !== "EXACT") return false;
  const read = path.join(".");
  return read === attribute || attribute.startsWith(`${read}.`);
}
