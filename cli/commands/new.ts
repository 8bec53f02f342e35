// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Argument, Command } from "commander";
import { TEMPLATE_NAMES, TEMPLATE_VARIETY } from "../../core/templates/template-names.ts";
import type { Output } from "../actions/new.ts";

const CHECK_TEMPLATES = TEMPLATE_NAMES.filter((name) => TEMPLATE_VARIETY[name] === "check");

export function newCommand(output: Output = process.stdout): Command {
  return new Command("new")
    .summary("write the files of a new adapter or plugin")
    .description(
      "Writes a folder with a new extension: an adapter, which connects a backend for telemetry, quotas or checks, or a plugin, " +
        "which acts while a request is processed. The extension works as it is, with a test of the contract that every " +
        "extension keeps; then make it yours.",
    )
    .addArgument(new Argument("<kind>", "what to write").choices(["adapter", "plugin"]))
    .argument("<name>", "the extension's name and the new folder's: lower-case letters, digits and -")
    .option(
      "--template <names>",
      "the templates that it implements, separated by commas; default: logentry for an adapter, and none for a plugin, " +
        "which then adds an attribute",
    )
    .option(
      "--purser <spec>",
      "the version, URL or folder of Purser that its package.json names; default: the folder of this Purser",
    )
    .addHelpText(
      "after",
      `
Templates of adapters: ${TEMPLATE_NAMES.join(", ")}.
Templates of plugins: ${CHECK_TEMPLATES.join(", ")}.

Examples:
  purser new adapter my-webhook                            an adapter that takes log entries
  purser new adapter my-backend --template metric,tracespan
  purser new plugin tenant                                 a plugin that adds an attribute
  purser new plugin my-list --template listentry           a plugin that answers Rules

Then:
  cd my-webhook
  npm install
  npm test                          compiles it and runs its tests
  npx purser validate documents/    loads it as a Handler document does

docs/guides/adapters.md and docs/guides/plugins.md explain the code, docs/reference/templates.md the templates.

Exit codes: 0 written, 2 the name, a template or the folder is not usable.`,
    )
    .action(async (kind, name, flags) =>
      (await import("../actions/new.ts")).newExtension(kind, name, flags, output),
    );
}
