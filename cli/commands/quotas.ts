// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError, Option } from "commander";
import { MAX_ADJUSTMENT_MS, MAX_LIMIT, type QuotaKey } from "../../api/quota-operations.ts";
import { controlCaFlag, controlCertFlag, controlKeyFlag, count, duration, tokenFlag, url } from "./flags.ts";

const HELP = `
A count is named by its QuotaPolicy and the values of the policy's key, one --key for each:
  --key user=ann        the text ann, as header fields have it
  --key port:=8080      JSON: a number, true, false, null, or a text in quotes
A policy without a key has one count, and needs no --key.

A raise or a block lasts for --for, 7d at most. It is in force in this mixer at once, in the other mixers of a shared
store (redis-quota) within a second, and in a proxy when the lease that it holds ends: after the policy's lease, 1s
at most by default. With counts in a mixer's memory it concerns that mixer alone: repeat it for each --mixer.

On a terminal the output is a table. Piped, it has a record on each line with tabs between the fields; --json prints
the mixer's reply.

Exit codes: 0 done; 1 the mixer does not answer, or its store fails; 2 a flag, a policy or a key is wrong.

Examples:
  purser quotas list --policy reviews-per-user         its counts, the most used first
  purser quotas list --key user=ann                    what ann has used, of every policy with this key
  purser quotas top                                    who is charged most, and refused most
  purser quotas reset reviews-per-user --key user=ann --reason "ticket 7"
  purser quotas raise reviews-per-user --key user=ann --limit 500 --for 2h --reason "launch"
  purser quotas block reviews-per-user --key user=bob --for 1h --reason "scraper"
  purser quotas unblock reviews-per-user --key user=bob --reason "talked to bob"
  purser quotas audit                                  who changed what, and when

docs/guides/quotas.md describes quotas, docs/reference/api.md the calls.`;

const actions = () => import("../actions/quotas.ts");

export function quotasCommand(): Command {
  const command = new Command("quotas")
    .summary("see and change what quotas have counted")
    .description("Shows the counts of a running mixer's quotas, and resets, raises or blocks single ones.")
    .addHelpText("after", HELP);
  command.addCommand(
    asking("list", "show policies with their counts, raises and blocks")
      .addOption(policyFlag())
      .addOption(keyFlag())
      .option("--limit <n>", "most counts", positive, 100)
      .action(async (flags) => (await actions()).list(flags)),
  );
  command.addCommand(
    asking("top", "show the keys with the largest granted amounts, and the most refusals, of the last hour")
      .addOption(policyFlag())
      .option("--limit <n>", "most keys of each policy, 100 at most", positive, 10)
      .action(async (flags) => (await actions()).top(flags)),
  );
  command.addCommand(
    changing("reset", "forget what one key has used").action(async (policy, flags) =>
      (await actions()).reset(policy, flags),
    ),
  );
  command.addCommand(
    changing("raise", "give one key a higher limit for a time")
      .addOption(
        new Option("--limit <n>", "the limit, above the policy's").argParser(limit).makeOptionMandatory(),
      )
      .addOption(forFlag())
      .action(async (policy, flags) => (await actions()).raise(policy, flags)),
  );
  command.addCommand(
    changing("block", "refuse one key for a time")
      .addOption(forFlag())
      .action(async (policy, flags) => (await actions()).block(policy, flags)),
  );
  command.addCommand(
    changing("unraise", "end a raise early").action(async (policy, flags) =>
      (await actions()).end("raise", policy, flags),
    ),
  );
  command.addCommand(
    changing("unblock", "end a block early").action(async (policy, flags) =>
      (await actions()).end("block", policy, flags),
    ),
  );
  command.addCommand(
    asking("audit", "show the changes that were made at this mixer")
      .option("--limit <n>", "most changes, the newest first", positive, 100)
      .action(async (flags) => (await actions()).audit(flags)),
  );
  return command;
}

function asking(name: string, summary: string): Command {
  return new Command(name)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .summary(summary)
    .addOption(
      new Option("--mixer <url>", "the mixer to ask").argParser(url).default("http://127.0.0.1:9092"),
    )
    .addOption(tokenFlag("the mixer"))
    .addOption(controlCertFlag())
    .addOption(controlKeyFlag())
    .addOption(controlCaFlag())
    .option("--json", "print the reply as JSON", false);
}

function changing(name: string, summary: string): Command {
  return asking(name, summary)
    .argument("<policy>", "the QuotaPolicy's name")
    .addOption(keyFlag())
    .addOption(
      new Option("--reason <text>", "why, for the audit; 200 characters at most")
        .argParser(reason)
        .makeOptionMandatory(),
    );
}

const policyFlag = (): Option => new Option("--policy <name>", "only this QuotaPolicy");

const keyFlag = (): Option =>
  new Option("--key <name=value>", "a value of the key; repeat it for each name").argParser(keyValue);

const forFlag = (): Option =>
  new Option("--for <duration>", "how long, such as 10m; 7d at most")
    .argParser(forDuration)
    .makeOptionMandatory();

function keyValue(text: string, previous: QuotaKey = {}): QuotaKey {
  const [, name, colon, value = ""] = /^([^=:]+)(:?)=(.*)$/s.exec(text) ?? [];
  if (name === undefined)
    throw new InvalidArgumentError("It must be name=value, or name:=JSON for a value that is not a text.");
  if (Object.hasOwn(previous, name)) throw new InvalidArgumentError(`${name} is given twice.`);
  if (colon === "") return { ...previous, [name]: value };
  try {
    return { ...previous, [name]: JSON.parse(value) as unknown };
  } catch {
    throw new InvalidArgumentError(`After := it must be JSON; ${name}=${value} is the text.`);
  }
}

function positive(value: string): number {
  const number = count(value);
  if (number < 1) throw new InvalidArgumentError("It must be 1 or more.");
  return number;
}

function limit(value: string): number {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > MAX_LIMIT)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_LIMIT}.`);
  return number;
}

function reason(value: string): string {
  if (value.trim() === "" || value.length > 200)
    throw new InvalidArgumentError("It must be a text of 200 characters at most.");
  return value;
}

function forDuration(value: string): number {
  const durationMs = duration(value);
  if (durationMs < 1 || durationMs > MAX_ADJUSTMENT_MS)
    throw new InvalidArgumentError("It must be from 1ms to 7d; a change for longer belongs in a document.");
  return durationMs;
}
