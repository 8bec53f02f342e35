// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";

export type Output = Pick<NodeJS.WriteStream, "write">;
export type Shell = "bash" | "zsh" | "fish";

interface Flag {
  /** `--log-level`. */
  readonly name: string;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** A command with all words before it: `quotas reset`; empty for the program. */
interface Completed {
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: readonly Flag[];
}

/** Writes the completion script of a shell for the program's commands, as they are defined. */
export function completion(shell: Shell, program: Command, output: Output): void {
  output.write({ bash, zsh, fish }[shell](completedOf(program, [])));
}

function completedOf(command: Command, path: readonly string[]): readonly Completed[] {
  const children = command.commands.filter((child) => child.name() !== "help");
  const own: Completed = {
    path: path.join(" "),
    commands: children.map((child) => ({
      name: child.name(),
      summary: child.summary() || child.description(),
    })),
    flags: [
      ...command.options
        .filter(({ hidden, long }) => !hidden && long !== undefined)
        .map(({ long, description, required, optional, argChoices }) => ({
          name: long as string,
          description,
          takesValue: required || optional,
          choices: argChoices ?? [],
        })),
      { name: "--help", description: "display help for command", takesValue: false, choices: [] },
    ],
  };
  return [own, ...children.flatMap((child) => completedOf(child, [...path, child.name()]))];
}

/** Finds the command among the words of the line: the longest path that its words, without flags, begin with. */
const BASH_HEAD = `# bash completion for purser
_purser() {
  local cur prev word path="" words=" "
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) ;;
      *) case " $_purser_paths " in *"|\${path:+$path }$word|"*) path="\${path:+$path }$word" ;; esac ;;
    esac
  done
`;

function bash(all: readonly Completed[]): string {
  const paths = all.map(({ path }) => `|${path}|`).join("");
  const valueCases = all.flatMap(({ path, flags }) =>
    flags
      .filter(({ takesValue }) => takesValue)
      .map(({ name, choices }) => {
        const words =
          choices.length === 0
            ? "compopt -o default; COMPREPLY=()"
            : `COMPREPLY=($(compgen -W ${quoted(choices.join(" "))} -- "$cur"))`;
        return `    ${quoted(`${path}:${name}`)}) ${words}; return ;;`;
      }),
  );
  const commandCases = all.map(({ path, commands, flags }) => {
    const words = [...commands.map(({ name }) => name), ...flags.map(({ name }) => name)].join(" ");
    return `    ${quoted(path)}) COMPREPLY=($(compgen -W ${quoted(words)} -- "$cur")) ;;`;
  });
  return [
    BASH_HEAD,
    `  case "$path:$prev" in\n${valueCases.join("\n")}\n  esac`,
    `  case "$path" in\n${commandCases.join("\n")}\n  esac`,
    `  [ "\${#COMPREPLY[@]}" -gt 0 ] || compopt -o default`,
    `}`,
    `_purser_paths=${quoted(paths)}`,
    `complete -F _purser purser\n`,
  ].join("\n");
}

/** zsh runs bash's function: bashcompinit is part of zsh. */
function zsh(all: readonly Completed[]): string {
  return `#compdef purser\nautoload -U +X bashcompinit && bashcompinit\n${bash(all)}`;
}

function fish(all: readonly Completed[]): string {
  const lines = all.flatMap(({ path, commands, flags }) => {
    const names = path === "" ? [] : path.split(" ");
    const seen = names.map((name) => `__fish_seen_subcommand_from ${name}`).join("; and ");
    const first = path === "" ? "__fish_use_subcommand" : seen;
    const others = commands.map(({ name }) => name).join(" ");
    const without =
      path === "" || others === "" ? first : `${first}; and not __fish_seen_subcommand_from ${others}`;
    return [
      ...commands.map(
        ({ name, summary }) => `complete -c purser -f -n ${quoted(without)} -a ${name} -d ${quoted(summary)}`,
      ),
      ...flags.map(({ name, description, takesValue, choices }) => {
        const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(" "))}` : takesValue ? " -r" : "";
        return `complete -c purser -n ${quoted(first)} -l ${name.slice(2)}${value} -d ${quoted(description)}`;
      }),
    ];
  });
  return `# fish completion for purser\n${lines.join("\n")}\n`;
}

/** A text as one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
