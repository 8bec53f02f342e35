// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { formatDocumentRef } from "../check/document-ref.ts";
import type { Explanation } from "./explanation.ts";
import type { TraceNode } from "./trace-node.ts";

/** Longest text, in characters, so that it fits in a header. */
const LONGEST = 300;

/** The deciding document and clause, in printable ASCII: `AccessPolicy/guests when: request.size > 5`. */
export function shortExplanation({ decision, documents }: Explanation): string {
  const decider = documents.find(({ decides }) => decides);
  if (decider === undefined)
    return decision.status.code === "OK" ? "no document refuses" : "no document decides";
  const { expressions, faults } = decider;
  const when =
    expressions.find(({ error }) => error !== undefined) ?? expressions.find(({ field }) => field === "when");
  const clauses = when === undefined ? [] : decidingTexts(when.trace);
  const clause = when === undefined ? "" : ` ${when.field}: ${clauses.join("; ")}`;
  const fault = faults[0] === undefined ? "" : ` (${faults[0].code})`;
  const text = `${formatDocumentRef(decider)}${clause}${fault}`.replace(/\s+/g, " ").replace(/[^ -~]/g, "?");
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 3)}...` : text;
}

function decidingTexts(node: TraceNode): readonly string[] {
  return [...(node.decides === true ? [node.text] : []), ...node.children.flatMap(decidingTexts)];
}
