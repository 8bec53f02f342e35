// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError, Option } from "commander";
import { suggest } from "../../kernel/suggest.ts";
import { collect, count, logFormatFlag, time } from "./flags.ts";
import { FINDINGS, type FindingName } from "../../tools/replay/findings.ts";

const HELP = `
Each request of the log is decided again by the candidate, at its recorded time. The report counts the differences:
requests newly denied or allowed, other statuses, failures, requests that quotas would refuse, and new metric series.
In a sampled log, "3 (about 30)" are three lines that represent thirty requests. Replay writes nothing and calls no
backend: a Rule whose handler needs one counts as passed.

Exit codes: 0 replayed; 1 found a difference that --fail-on names; 2 a flag, a log or a document is faulty.

Examples:
  purser replay --log decisions.jsonl --candidate new-policies/
  purser replay --log decisions.jsonl.2.gz decisions.jsonl.1 decisions.jsonl --candidate new/ --baseline old/
  purser replay --log decisions.jsonl --candidate new/ --since 24h --fail-on newly-denied,faults

docs/reference/decision-log.md describes logs, docs/guides/replay.md describes reports.`;

export function replayCommand(): Command {
  return new Command("replay")
    .summary("try changed policies on recorded requests")
    .description(
      "Tries a changed set of documents on the requests of a decision log, and reports the differences.",
    )
    .addOption(
      new Option("--log <file...>", "decision logs, plain or .gz; merged by time").makeOptionMandatory(),
    )
    .addOption(
      new Option("--candidate <path>", "a file or folder of the new documents; repeatable")
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        "--baseline <path>",
        "compare with these documents instead of the recorded decisions; repeatable",
      ).argParser(collect),
    )
    .addOption(
      new Option(
        "--fail-on <findings>",
        `exit with 1 for these findings, separated by commas: ${FINDINGS.join(", ")}`,
      )
        .argParser(findings)
        .default([], "none"),
    )
    .option("--examples <n>", "examples shown of each change and document, keys of each quota", count, 3)
    .option("--limit <n>", "most requests to replay", count)
    .option("--min-requests <n>", "fewest requests that the report may rest on; fewer are an error", count, 1)
    .option(
      "--since <time>",
      "only requests from this time on: ISO 8601, or a duration ago such as 24h",
      time,
    )
    .option("--until <time>", "only requests before this time", time)
    .option("--strict", "treat a malformed line as an error", false)
    .option("--json", "report as JSON", false)
    .addOption(logFormatFlag())
    .addHelpText("after", HELP)
    .action(async (flags) => (await import("../actions/replay.ts")).replay(flags));
}

function findings(value: string, previous: readonly FindingName[] = []): readonly FindingName[] {
  const names = value.split(",").map((name) => {
    const known = FINDINGS.find((finding) => finding === name.trim());
    if (known !== undefined) return known;
    const near = suggest(name.trim(), FINDINGS);
    throw new InvalidArgumentError(
      near === undefined ? `There is no finding ${name.trim()}.` : `Did you mean ${near}?`,
    );
  });
  return [...previous, ...names];
}
