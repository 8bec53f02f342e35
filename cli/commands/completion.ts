// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Argument, Command } from "commander";
import type { Output } from "../actions/completion.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

export function completionCommand(output: Output = process.stdout): Command {
  const command = new Command("completion")
    .summary("print a script that completes commands and flags in a shell")
    .description(
      "Prints a script for a shell, which then completes Purser's commands, flags and their choices.",
    )
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .addHelpText(
      "after",
      `
Examples:
  purser completion bash > /etc/bash_completion.d/purser
  purser completion zsh > "\${fpath[1]}/_purser"
  purser completion fish > ~/.config/fish/completions/purser.fish
  source <(purser completion bash)             for the present shell alone`,
    );
  return command.action(async (shell) =>
    (await import("../actions/completion.ts")).completion(shell, command.parent ?? command, output),
  );
}
