// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError } from "commander";
import { collect, configFlag, skipForeignFlag } from "./flags.ts";

export function explainCommand(): Command {
  return new Command("explain")
    .summary("explain the decision about a request")
    .description(
      "Decides one request by the documents of a folder and explains the decision: each document's outcome, and each expression as a " +
        "tree with the value of every part. The deciding document and clause are marked. Credentials are redacted. " +
        "Plugins are called, and adapters that need no backend; the output names the others. docs/guides/explain.md describes the form of --json.",
    )
    .addOption(configFlag())
    .addOption(skipForeignFlag())
    .option("--bag <file>", "the request's attributes as JSON; - reads standard input")
    .option("--request <line>", "a request, in place of --bag: 'GET http://reviews/path?query'")
    .option("-H, --header <header>", "a header of --request, 'name: value'; repeatable", collect)
    .option("--at <time>", "the time of $now(), such as 2026-01-31T12:00:00Z; default: now", instant)
    .option("--policy <name>", "consider only this document")
    .option("--all", "also show documents that do not match the request or were not evaluated")
    .option("--redact <path>", "another attribute to redact, as a dotted path; repeatable", collect)
    .option("--json", "write the explanation as JSON")
    .addHelpText(
      "after",
      `
Examples:
  purser explain -c mesh/ --request 'GET http://reviews/reviews/7' -H 'x-user: ann'
  purser explain -c mesh/ --bag bag.json --at 2026-01-31T23:59:59Z --all
  purser explain -c mesh/ --bag - --json < bag.json

The bag has the attributes of docs/reference/attributes.md as nested objects:
  {"request": {"method": "GET", "headers": {"x-user": "ann"}}}`,
    )
    .action(async (flags) => (await import("../actions/explain.ts")).explain(flags));
}

function instant(value: string): number {
  const timeMs = /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(timeMs))
    throw new InvalidArgumentError("It must be an ISO 8601 time, such as 2026-01-31T12:00:00Z.");
  return timeMs;
}
