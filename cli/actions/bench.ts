// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { synthesizedBags } from "../../tools/bench/default-bag.ts";
import { machine } from "../../tools/bench/machine.ts";
import { measureDecision, measurePolicies } from "../../tools/bench/measure-policies.ts";
import { createProgress } from "../../tools/progress.ts";
import { readBags } from "../../tools/bench/read-bags.ts";
import { type Budgets, exceededBudgets, formatReport } from "../../tools/bench/report.ts";
import { CommandFailed } from "../commands/command-failed.ts";
import { readConfig } from "../compose/part-config.ts";
import { createRuntime } from "../compose/runtime.ts";

interface Flags extends Budgets {
  readonly config: readonly string[];
  readonly skipForeign?: boolean;
  readonly bags?: string;
  readonly seconds: number;
  readonly json: boolean;
}

/** Measures the documents in `flags.config`. */
export async function bench(flags: Flags): Promise<void> {
  const runtime = createRuntime({ logLevel: "error", logFormat: "auto" });
  const snapshot = await readConfig(flags.config, runtime, flags);
  const bags = flags.bags === undefined ? synthesizedBags(snapshot) : await readBags(flags.bags);
  const progress = createProgress();
  try {
    // Half of the time for the documents one by one, half for the whole decision.
    const work = { snapshot, bags, nowMs: runtime.clock.nowMs(), budgetMs: flags.seconds * 500, progress };
    const policies = await measurePolicies(work);
    const decision = await measureDecision(work);
    const exceeded = exceededBudgets(policies, decision, flags);
    const report = { policies, decision, bags: bags.length, machine: machine(), exceeded };
    progress.done();
    process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : formatReport(report));
    if (exceeded.length > 0) throw new CommandFailed(exceeded.join("\n"));
  } finally {
    progress.done();
  }
}
