// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import { fencedBlocks } from "../support/fenced-blocks.ts";

/** Languages of blocks with commands of a shell. */
const SHELL: ReadonlySet<string> = new Set(["sh", "console", "text", "ini"]);

/** A text's word, quoted or not, or an operator that ends a command. */
const WORD =
  /((?:[^\s'"\\|&;<>()`#]|(?<=[^\s])#|'[^']*'|"(?:[^"\\]|\\.)*"|\\.|\$\([^)]*\))+)|([|&;<>()`\n]|(?<=\s)#.*)/g;

/** The words of each `purser …` command on a page: in blocks, and in code within the text. */
export function purserCommands(page: string): readonly (readonly string[])[] {
  const prose = page.replaceAll(/^ *```[^]*?^ *```/gm, "");
  const spans = [...prose.matchAll(/`((?:npx )?purser [^`]+)`/g)].map(([, code = ""]) =>
    code.replaceAll("\n", " "),
  );
  const blocks = fencedBlocks(page).flatMap(({ language, text }) => (SHELL.has(language) ? [text] : []));
  return [...spans, ...blocks].flatMap((text) => commandsIn(text.replaceAll("\\\n", " ")));
}

function commandsIn(text: string): readonly (readonly string[])[] {
  const commands: string[][] = [[]];
  for (const [, word, operator] of text.matchAll(WORD)) {
    if (operator !== undefined) commands.push([]);
    else if (word !== undefined) commands.at(-1)?.push(unquoted(word));
  }
  return commands.flatMap((words) => {
    const start = words.findIndex((word, index) => isPurser(word) && words.slice(0, index).every(isBefore));
    return start < 0 ? [] : [words.slice(start + 1)];
  });
}

const isPurser = (word: string): boolean =>
  /^(?:ExecStart=\S*\/|\.\/|node_modules\/\.bin\/)?purser$/.test(word);

/** Whether a word may stand in front of `purser` in its command: a prompt, a variable, or a program that runs it. */
const isBefore = (word: string): boolean => /^(?:\$|npx|exec|sudo|time|do|then|if|\w+=.*)$/.test(word);

const unquoted = (word: string): string => word.replaceAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g, "$1$2$3");

/** The first fault of a command's words: a command or a flag that does not exist; undefined when there is none. */
export function faultOfCommand(program: Command, words: readonly string[]): string | undefined {
  let command = program;
  let operands = 0;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    if (word === "--") return undefined;
    if (word === "…" || word === "...") continue;
    if (/^--?[a-zA-Z]/.test(word)) {
      const [flag = "", value] = word.split(/=(.*)/);
      if (flag === "--help" || flag === "-h") continue;
      const option = command.options.find(({ long, short }) => long === flag || short === flag);
      if (option === undefined) return `${pathOf(command)} has no ${flag}`;
      if (option.required && value === undefined) {
        index++;
        if (words[index] === undefined && words.length > 2) return `${flag} has no value`;
      }
      continue;
    }
    const child = operands > 0 ? undefined : command.commands.find((known) => known.name() === word);
    if (child !== undefined) command = child;
    else if (command.commands.length > 0) return `${pathOf(command)} has no command ${word}`;
    else operands++;
  }
  return undefined;
}

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

/** Every flag of the program and its commands, `--log-level`. */
export function flagsOf(command: Command): readonly string[] {
  return [...command.options.map(({ long }) => long ?? ""), ...command.commands.flatMap(flagsOf)];
}
