// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import type { DecisionLogLine } from "./log-line.ts";

/** An attribute that a decision read and the log does not have as it was. */
export interface UnreliableRead {
  readonly attribute: string;
  readonly reason: "redacted" | "hashed" | "cut";
}

/** What makes a replayed decision doubtful. An attribute that was only looked for is there all the same. */
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

/** Whether the value at the attribute, or a whole that holds it, was read. */
function readsFrom({ path, condition }: AttributeReference, attribute: string): boolean {
  if (condition !== "EXACT") return false;
  const read = path.join(".");
  return read === attribute || attribute.startsWith(`${read}.`);
}
