// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command } from "commander";
import type { Output } from "../actions/init.ts";

export function initCommand(output: Output = process.stdout): Command {
  return new Command("init")
    .summary("write the documents of a small mesh that works")
    .description(
      "Writes a folder of documents: a policy with its test, a quota, a metric, and routes to a service of yours. Each file names " +
        "the schema beside it, so that editors with the YAML language server complete fields and mark mistakes.",
    )
    .argument("[folder]", "the folder, which must be empty or not exist", "mesh")
    .option("--service <name>", "the service's name: lower-case letters, digits and -", "web")
    .option("--upstream <host:port>", "the address at which the service listens", "127.0.0.1:3000")
    .addHelpText(
      "after",
      `
Examples:
  purser init                                        writes mesh/, with routes to 127.0.0.1:3000
  purser init shop --service books --upstream books.internal:8080

Then:
  cd mesh
  purser test         runs the policy's tests
  purser run          an edge on port 8080, in front of the service

Exit codes: 0 written, 2 the folder or a flag is not usable.`,
    )
    .action(async (folder, flags) => (await import("../actions/init.ts")).init(folder, flags, output));
}
