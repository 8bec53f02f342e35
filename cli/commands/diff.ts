// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, Option } from "commander";
import { logFormatFlag } from "./flags.ts";

const HELP = `
A line for each document that differs: + for a new one, - for one that is gone, ~ for a changed one with the fields that
changed. Changes by which requests may pass that were refused or limited are marked with !. A document that was moved to
another file has not changed. With --log, the requests of a decision log are decided by both sets, and the differences
of the decisions follow, as purser replay reports them.

Exit codes: 0 no document differs; 1 documents differ; 2 a flag, a log or a document is faulty.

Examples:
  purser diff mesh/ new-mesh/
  purser diff mesh/ new-mesh/ --log decisions.jsonl
  git worktree add /tmp/main main && purser diff /tmp/main/mesh mesh/`;

export function diffCommand(): Command {
  return new Command("diff")
    .summary("show what one set of documents changes in another")
    .description("Compares two sets of documents, and says which documents differ and how.")
    .argument("<old>", "a file or folder of the documents in force")
    .argument("<new>", "a file or folder of the new documents")
    .addOption(new Option("--log <file...>", "decision logs whose requests are decided by both sets"))
    .option("--json", "print the changes as JSON", false)
    .addOption(logFormatFlag())
    .addHelpText("after", HELP)
    .action(async (before, after, flags) => (await import("../actions/diff.ts")).diff(before, after, flags));
}
