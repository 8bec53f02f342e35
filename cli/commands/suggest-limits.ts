// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError, Option } from "commander";
import { parseDurationMs } from "../../kernel/duration.ts";
import { time } from "./flags.ts";

const HELP = `
The log is split by time. Limits are searched in the first part, so that each refuses at most a share of its requests or keys;
the rest of the log is held out, and shows what each limit would have refused of later requests. Both are replayed by
the policy's own algorithm, as purser replay does.

Exit codes: 0 proposed; 2 a flag, a log or an expression is faulty, or there is no request.

Examples:
  purser suggest-limits decisions.jsonl --key 'request.headers."x-user"' --window 1m
  purser suggest-limits decisions.jsonl.1.gz decisions.jsonl --key source.ip --window 1h --share 0.1%
  purser suggest-limits decisions.jsonl --key 'user=request.headers."x-user"' --write per-user > per-user.yaml

docs/guides/suggest-limits.md explains the proposals and their warnings.`;

export function suggestLimitsCommand(): Command {
  return new Command("suggest-limits")
    .summary("propose limits from recorded requests")
    .description("Proposes limits of a QuotaPolicy from the requests of decision logs, and checks them.")
    .argument("<log...>", "decision logs, plain or .gz; merged by time")
    .addOption(
      new Option("--key <expression>", "a dimension of the count, or name=expression; repeatable")
        .argParser(keys)
        .default(new Map(), "a single count"),
    )
    .option("--match <expression>", "only requests for which this is true")
    .addOption(new Option("--window <duration>", "the window's length").argParser(window).default("1m"))
    .option("--algorithm <name>", "the counting algorithm, as in a QuotaPolicy", "sliding-window")
    .addOption(
      new Option("--share <percentages>", "most to refuse, of requests and of keys, separated by commas")
        .argParser(shares)
        .default([0.01, 0.001, 0.0001], "1%,0.1%,0.01%"),
    )
    .addOption(
      new Option("--train <percentage>", "the part of the log's time that limits are searched in")
        .argParser(part)
        .default(0.7, "70%"),
    )
    .option(
      "--since <time>",
      "only requests from this time on: ISO 8601, or a duration ago such as 24h",
      time,
    )
    .option("--until <time>", "only requests before this time", time)
    .option("--strict", "treat a malformed line as an error", false)
    .option("--json", "report as JSON", false)
    .option(
      "--write <name>",
      "print a QuotaPolicy of this name in shadow mode, with the limit for the smallest share of requests; the report goes to standard error",
    )
    .addHelpText("after", HELP)
    .action(async (logs, flags) => (await import("../actions/suggest-limits.ts")).suggestLimits(logs, flags));
}

/** A key's name is given, or the last name in its expression. */
export function keys(value: string, previous: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [, given, named] = /^\s*([a-z][a-z0-9_-]*)\s*=(.+)$/is.exec(value) ?? [];
  const expression = (named ?? value).trim();
  if (expression === "")
    throw new InvalidArgumentError("It must be an expression, or a name, = and an expression.");
  const [, quoted, plain] = /(?:"([^"]+)"|([a-z_][a-z0-9_]*))\s*$/i.exec(expression) ?? [];
  const base = given ?? quoted ?? plain ?? "key";
  let name = base;
  for (let number = 2; previous.has(name); number++) name = `${base}-${number}`;
  return new Map([...previous, [name, expression]]);
}

function window(value: string): string {
  const windowMs = parseDurationMs(value);
  if (windowMs === undefined || windowMs === 0)
    throw new InvalidArgumentError("It must be a duration of more than 0s, such as 1m.");
  return value;
}

function shares(value: string): readonly number[] {
  // The largest first, so that the last is the smallest.
  return value
    .split(",")
    .map((text) => percentage(text.trim(), true))
    .toSorted((a, b) => b - a);
}

function part(value: string): number {
  return percentage(value, false);
}

function percentage(text: string, allowsZero: boolean): number {
  const share = /^\d+(\.\d+)?%$/.test(text) ? Number(text.slice(0, -1)) / 100 : Number.NaN;
  if (share < 1 && (share > 0 || (allowsZero && share === 0))) return share;
  throw new InvalidArgumentError("It must be a percentage below 100%, such as 1%.");
}
