// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Argument, Command, InvalidArgumentError, Option } from "commander";

const HELP = `
Each limit of the configuration becomes a QuotaPolicy for each descriptor that reaches it. Its conditions and key come from the
rate limit actions of the Envoy configuration, which --actions reads. A part that has no counterpart is an error with
its location; nothing is left out silently.

Exit codes: 0 converted; 2 a flag or a file is faulty, or a part has no counterpart.

Examples:
  purser import ratelimit ratelimit.yaml --actions envoy.yaml --out mesh/
  purser import ratelimit ratelimit.yaml --entry 'user=request.headers."x-user"'
  purser import ratelimit ratelimit.yaml --actions route.yaml --match '$startsWith(request.url_path, "/api/")'

docs/guides/import-ratelimit.md lists what is carried over, and how.`;

export function importCommand(): Command {
  return new Command("import")
    .summary("convert rate limits of Envoy's service to documents")
    .description("Converts the configuration of another program to documents, which it prints.")
    .addArgument(
      new Argument("<format>", "the program: ratelimit for envoyproxy/ratelimit").choices(["ratelimit"]),
    )
    .argument("<config>", "the file with the domain and its descriptors")
    .option("--actions <file>", "an Envoy configuration, a route's part of it or a list rate_limits")
    .addOption(
      new Option(
        "--entry <key=expression>",
        "the expression of a descriptor's key, such as 'user=request.headers.\"x-user\"'; repeatable",
      )
        .argParser(entries)
        .default(new Map(), "none"),
    )
    .option("--match <expression>", "a condition of all policies, such as the route's")
    .option("--out <folder>", "write ratelimit.yaml to this folder instead of the standard output")
    .addHelpText("after", HELP)
    .action(async (_format, config, flags) =>
      (await import("../actions/import.ts")).importConfig(config, flags),
    );
}

function entries(value: string, previous: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const at = value.indexOf("=");
  const [key, expression] = [value.slice(0, at).trim(), value.slice(at + 1).trim()];
  if (at < 1 || key === "" || expression === "")
    throw new InvalidArgumentError("It must be a key, = and an expression.");
  return new Map([...previous, [key, expression]]);
}
