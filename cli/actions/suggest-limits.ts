// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { showProgress } from "../../tools/replay/progress.ts";
import { policyText } from "../../tools/suggest-limits/policy-text.ts";
import { runSuggest, type SuggestFlags } from "../../tools/suggest-limits/run-suggest.ts";
import type { Proposal, Suggestion } from "../../tools/suggest-limits/suggestion.ts";
import { suggestionText } from "../../tools/suggest-limits/text.ts";
import { checkText } from "../compose/part-config.ts";
import { writeAll } from "../output/write-all.ts";
import { ConfigRejected } from "../../config/config-rejected.ts";

interface Flags extends Omit<SuggestFlags, "shares"> {
  readonly share: readonly number[];
  readonly json: boolean;
  /** Name of the policy to print. */
  readonly write?: string;
}

/** Proposes limits from decision logs; prints the report, and with `write` a policy. */
export async function suggestLimits(logs: readonly string[], flags: Flags): Promise<void> {
  const suggested = await runSuggest(
    logs,
    { ...flags, shares: flags.share },
    checkText,
    showProgress(process.stderr),
  );
  const report = flags.json ? `${JSON.stringify(suggested, undefined, 2)}\n` : suggestionText(suggested);
  if (flags.write === undefined) return writeAll(process.stdout, report);
  const policy = policyText(flags.write, flags, strictest(suggested).limit);
  const checked = checkText({ path: "(proposed policy)", text: policy });
  if (!checked.ok) throw new ConfigRejected(checked.diagnostics);
  await writeAll(process.stderr, report);
  await writeAll(process.stdout, policy);
}

/** The proposal for the smallest share of requests. */
function strictest({ proposals }: Suggestion): Proposal {
  return proposals.filter(({ of }) => of === "requests").at(-1) as Proposal;
}
