// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError, Option } from "commander";
import { parseDurationMs } from "../../kernel/duration.ts";
import { suggest } from "../../kernel/suggest.ts";
import { CommandFailed } from "./command-failed.ts";
import { collect, count, logFormatFlag } from "./flags.ts";
import { readConfig } from "../compose/part-config.ts";
import { createRuntime, type LogFlags } from "../compose/runtime.ts";
import { FINDINGS, type FindingName } from "../../tools/replay/findings.ts";
import { showProgress } from "../../tools/replay/progress.ts";
import { type ReplayFlags, runReplay } from "../../tools/replay/run-replay.ts";
import { type ReplayOutcome, reportText } from "../../tools/replay/text.ts";

interface Flags extends ReplayFlags, Pick<LogFlags, "logFormat"> {
  readonly json: boolean;
}

const HELP = `
What it does: each request of the log is decided anew by the candidate, at the time it was made, and what differs is
counted: requests newly denied or allowed, other statuses, failures; what quotas would refuse; which metric series
would appear. Of a sampled log, "3 (about 30)" are three lines that stand for thirty requests. Nothing is written or
called anywhere: adapters are not built.

Exit codes: 0 replayed; 1 found what --fail-on names; 2 a flag, a log or a document is at fault.

Examples:
  purser replay --log decisions.jsonl --candidate new-policies/
  purser replay --log decisions.jsonl.2.gz decisions.jsonl.1 decisions.jsonl --candidate new/ --baseline old/
  purser replay --log decisions.jsonl --candidate new/ --since 24h --fail-on newly-denied,faults

How a log is written: docs/decision-log.md. How a report is read: docs/replay.md.`;

export function replayCommand(): Command {
  return new Command("replay")
    .summary("try changed policies on recorded requests")
    .description(
      "Tries a changed set of documents on the requests of a decision log, and reports what would differ.",
    )
    .addOption(
      new Option("--log <file...>", "decision logs, plain or .gz; merged by time").makeOptionMandatory(),
    )
    .addOption(
      new Option("--candidate <path>", "a file or folder of the new documents; give it again for more")
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        "--baseline <path>",
        "compare with these documents instead of what was recorded; give it again for more",
      ).argParser(collect),
    )
    .addOption(
      new Option("--fail-on <findings>", `exit with 1 when there are any, by commas: ${FINDINGS.join(", ")}`)
        .argParser(findings)
        .default([], "none"),
    )
    .option("--examples <n>", "examples shown of each change and document, keys of each quota", count, 3)
    .option("--limit <n>", "replay this many requests at most", count)
    .option("--since <time>", "requests from then on: ISO 8601, or a duration ago such as 24h", time)
    .option("--until <time>", "requests before then", time)
    .option("--strict", "take a malformed line for an error", false)
    .option("--json", "report as JSON", false)
    .addOption(logFormatFlag())
    .addHelpText("after", HELP)
    .action(async (flags: Flags) => {
      const runtime = createRuntime({ logLevel: "warn", logFormat: flags.logFormat });
      const outcome = await runReplay(
        flags,
        runtime,
        (paths) => readConfig(paths, runtime),
        showProgress(process.stderr),
      );
      await write(flags.json ? reportJson(outcome) : reportText(outcome));
      if (outcome.failed.length > 0) throw new CommandFailed();
    });
}

function reportJson({ report, malformed, unanswered, failed }: ReplayOutcome): string {
  const json = { ...report, malformed, unanswered: Object.fromEntries(unanswered), failed };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

/** The process ends after the command: what a pipe has not taken by then would be lost. */
function write(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}

function findings(value: string, previous: readonly FindingName[] = []): readonly FindingName[] {
  const names = value.split(",").map((name) => {
    const known = FINDINGS.find((finding) => finding === name.trim());
    if (known !== undefined) return known;
    const near = suggest(name.trim(), FINDINGS);
    throw new InvalidArgumentError(
      near === undefined ? `There is no ${name.trim()}.` : `Did you mean ${near}?`,
    );
  });
  return [...previous, ...names];
}

function time(value: string): number {
  const agoMs = parseDurationMs(value);
  const timeMs = agoMs === undefined ? Date.parse(value) : Date.now() - agoMs;
  if (Number.isNaN(timeMs))
    throw new InvalidArgumentError("It is not a time, such as 2026-01-01T00:00:00Z or 24h.");
  return timeMs;
}
