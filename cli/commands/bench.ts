// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError } from "commander";
import { synthesizedBags } from "../../tools/bench/default-bag.ts";
import { machine } from "../../tools/bench/machine.ts";
import { measureDecision, measurePolicies } from "../../tools/bench/measure-policies.ts";
import { createProgress } from "../../tools/bench/progress.ts";
import { readBags } from "../../tools/bench/read-bags.ts";
import { type Budgets, exceededBudgets, formatReport } from "../../tools/bench/report.ts";
import { CommandFailed } from "./command-failed.ts";
import { configFlag } from "./flags.ts";
import { readConfig } from "../compose/part-config.ts";
import { createRuntime } from "../compose/runtime.ts";

interface Flags extends Budgets {
  readonly config: readonly string[];
  readonly bags?: string;
  readonly seconds: number;
  readonly json: boolean;
}

const HELP = `
For each document with expressions: the nanoseconds that all of them take, evaluated once over
a bag. For the whole decision (every policy and quota, as a mixer decides a request): its median
and 99th percentile, and the bytes of heap it allocates. Rules' handlers are not called.

A bag is what expressions read of one request: a JSON object, one on each line of --bags, such as
  {"destination":{"service":{"name":"reviews"}},"request":{"method":"GET","url_path":"/"}}
Without --bags there is a default bag, once for each service that the documents name; docs/operations.md
shows it. Bags of your own traffic tell more.

Exit codes: 0 within the budgets, 1 over one of them, 2 for documents or bags with faults.

Examples:
  purser bench -c policies/
  purser bench -c policies/ --bags bags.jsonl --seconds 20
  purser bench -c policies/ --budget-ns 5000 --budget-p99-us 200 --json   # for CI

Times depend on the machine: give a budget room, and run on a quiet one.`;

export function benchCommand(): Command {
  return new Command("bench")
    .summary("measure what your policies cost")
    .description("Times the expressions of your documents and the whole decision that they make.")
    .addOption(configFlag())
    .option("--bags <file>", "requests to decide, as JSON Lines of attribute bags")
    .option("--seconds <n>", "about how long to measure", positive, 5)
    .option("--budget-ns <n>", "exit 1 when a document's expressions take more", positive)
    .option("--budget-p99-us <n>", "exit 1 when the decision's 99th percentile takes more", positive)
    .option("--json", "print one JSON object", false)
    .addHelpText("after", HELP)
    .action(bench);
}

async function bench(flags: Flags): Promise<void> {
  const runtime = createRuntime({ logLevel: "error", logFormat: "auto" });
  const snapshot = await readConfig(flags.config, runtime);
  const bags = flags.bags === undefined ? synthesizedBags(snapshot) : await readBags(flags.bags);
  const progress = createProgress();
  try {
    // Half for the documents one by one, half for the decision.
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

function positive(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number <= 1e9)) throw new InvalidArgumentError("It is not a number above 0.");
  return number;
}
