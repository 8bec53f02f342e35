// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError } from "commander";
import { configFlag, skipForeignFlag } from "./flags.ts";

const HELP = `
For each document with expressions: the nanoseconds of evaluating all of them once over
a bag. For the whole decision (every policy and quota, as in a mixer): its median
and 99th percentile, and the bytes of heap it allocates. Handlers are not called.

A bag has the attributes of one request: a JSON object, one on each line of --bags, such as
  {"destination":{"service":{"name":"reviews"}},"request":{"method":"GET","url_path":"/"}}
Without --bags the default bag is used, once for each service in the documents; docs/guides/operations.md
shows it. Bags of your own traffic give better numbers.

Exit codes: 0 within the budgets, 1 over a budget, 2 faulty documents or bags.

Examples:
  purser bench -c policies/
  purser bench -c policies/ --bags bags.jsonl --seconds 20
  purser bench -c policies/ --budget-ns 5000 --budget-p99-us 200 --json   # for CI

Times depend on the machine: leave room in the budgets, and run on an idle machine.`;

export function benchCommand(): Command {
  return new Command("bench")
    .summary("measure the cost of policies")
    .description("Times the expressions of documents, and the whole decision.")
    .addOption(configFlag())
    .addOption(skipForeignFlag())
    .option("--bags <file>", "requests to decide, as JSON Lines of attribute bags")
    .option("--seconds <n>", "approximate time to measure, in seconds", positive, 5)
    .option("--budget-ns <n>", "exit 1 when a document's expressions take more nanoseconds", positive)
    .option(
      "--budget-p99-us <n>",
      "exit 1 when the decision's 99th percentile is more microseconds",
      positive,
    )
    .option("--json", "print one JSON object", false)
    .addHelpText("after", HELP)
    .action(async (flags) => (await import("../actions/bench.ts")).bench(flags));
}

function positive(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number <= 1e9)) throw new InvalidArgumentError("It must be a number above 0.");
  return number;
}
