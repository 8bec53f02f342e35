// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { FUNCTION, type Outcome } from "../suite/outcome.ts";
import { describeOutcome } from "../suite/run-case.ts";
import type { Campaign, Divergence } from "./campaign.ts";
import { inputText } from "./input.ts";
import { render } from "./tree.ts";
import { SOFT } from "./verdict.ts";
import { OUTER_BINDINGS } from "./vocabulary.ts";

/** Text of a divergence, with its case in the suite's form, ready to paste into `cases/`. */
export function describeDivergence({ smallest, verdict }: Divergence): string {
  const source = render(smallest.expression);
  const lines = [
    `${SOFT.has(verdict.difference) ? "soft " : ""}${verdict.difference}: ${verdict.detail}`,
    `  reference ${describeOutcome(verdict.reference)}`,
    `  ours      ${describeOutcome(verdict.ours)}`,
    `  ${suiteForm(source, inputText(verdict.input), verdict.reference)}`,
  ];
  if (verdict.earlierRuns > 0)
    lines.push(`  only after ${smallest.inputs.slice(0, verdict.earlierRuns).map(inputText).join(" and ")}`);
  return lines.join("\n");
}

/** The case as JSON; the reference's outcome is the expected one. */
function suiteForm(source: string, input: string | undefined, reference: Outcome): string {
  const used = Object.entries(OUTER_BINDINGS).filter(([name]) => source.includes(`$${name}`));
  const fields = [`"expr": ${JSON.stringify(source)}`];
  fields.push(input === undefined ? '"dataset": null' : `"data": ${input}`);
  if (used.length > 0) fields.push(`"bindings": ${JSON.stringify(Object.fromEntries(used))}`);
  fields.push(expectation(reference));
  return `{ ${fields.join(", ")} }`;
}

function expectation(reference: Outcome): string {
  if (reference.kind === "error") return `"code": ${JSON.stringify(reference.fault.code ?? null)}`;
  if (reference.value === undefined) return '"undefinedResult": true';
  return `"result": ${JSON.stringify(reference.value)}${JSON.stringify(reference.value).includes(FUNCTION) ? " (a function: not for cases/)" : ""}`;
}

export function describeCampaign(campaign: Campaign, elapsedMs: number): string {
  const perSecond = Math.round((campaign.cases / Math.max(elapsedMs, 1)) * 1_000);
  const counts = [...campaign.differences].map(([difference, count]) => `${count} ${difference}`);
  const differing = counts.length === 0 ? "none differ" : `differ: ${counts.join(", ")}`;
  return `seed ${campaign.seed}: ${campaign.cases} cases of ${campaign.expressions} expressions, ${perSecond}/s, ${campaign.discarded} discarded; ${differing}`;
}
