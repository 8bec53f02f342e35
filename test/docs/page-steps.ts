// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type FencedBlock, fencedBlocks } from "../support/fenced-blocks.ts";

/**
 * A step of a page that is followed literally, by the info string of its block:
 *
 * | info string | step |
 * |---|---|
 * | `yaml file=mesh/a.yaml`, any language | the file is written, below the folder in which the page began |
 * | `sh` | the commands are run in one shell for the whole page; each must succeed |
 * | `sh exit=2` | the first command that fails must fail with this code |
 * | `sh background` | the commands run until the page ends, as in a terminal of their own |
 * | `console` | each line after `$ ` is run until its output is the lines below it, or a deadline passes |
 * | `text output` | the output of the commands before it |
 * | `sh norun="reason"`, `console`, `yaml` | nothing is run or checked |
 * | `sh with=NAME,OTHER`, `console with=NAME` | the files of `fixtures/NAME/` are copied first, and its `setup.sh` is run |
 *
 * Blocks of other languages are shown only. test/support/shown-output.ts says which outputs are the same.
 */
export type PageStep = Readonly<{ line: number; text: string; fixtures: readonly string[] }> &
  (
    | { readonly kind: "file"; readonly path: string }
    | { readonly kind: "commands"; readonly exitCode: number }
    | { readonly kind: "background" | "results" | "output" }
    | { readonly kind: "not run"; readonly reason: string }
  );

/** Words and settings that a block of a language may have, where they are not the name of an example. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  sh: ["background", "exit", "file", "norun", "with"],
  console: ["norun", "with"],
  text: ["file", "output"],
  yaml: ["file", "invalid", "norun"],
};

/** Faults of a page's info strings, each with its line; empty when every block has a decision. */
export function faultsOfSteps(page: string): readonly string[] {
  return fencedBlocks(page).flatMap((block) => {
    const { line, language, words, settings } = block;
    if (language === "") return [`${line}: a block has no language: write text for plain text`];
    const known = KNOWN[language];
    const unknown = [...(known === undefined || language === "yaml" ? [] : words), ...settings.keys()].filter(
      (word) => !(known ?? ["file"]).includes(word),
    );
    const empty = [...settings].flatMap(([key, value]) => (value.trim() === "" ? [key] : []));
    return [
      ...unknown.map((word) => `${line}: a block ${language} cannot have ${word}`),
      ...empty.map((key) => `${line}: ${key} has no value`),
    ];
  });
}

/** The steps of a page, in their order. */
export function stepsOf(page: string): readonly PageStep[] {
  return fencedBlocks(page).flatMap((block): readonly PageStep[] => {
    const { line, text, settings } = block;
    const step = { line, text, fixtures: settings.get("with")?.split(",") ?? [] };
    const path = settings.get("file");
    if (path !== undefined) return [{ ...step, kind: "file", path }];
    const reason = settings.get("norun");
    if (reason !== undefined) return [{ ...step, kind: "not run", reason }];
    return stepOf(block, step);
  });
}

function stepOf(
  { language, words, settings }: FencedBlock,
  step: Pick<PageStep, "line" | "text" | "fixtures">,
): readonly PageStep[] {
  if (language === "console") return [{ ...step, kind: "results" }];
  if (language === "text" && words.includes("output")) return [{ ...step, kind: "output" }];
  if (language !== "sh") return [];
  if (words.includes("background")) return [{ ...step, kind: "background" }];
  return [{ ...step, kind: "commands", exitCode: Number(settings.get("exit") ?? 0) }];
}

/** The commands of a block `console`, each with the output that is shown below it; empty when nothing is. */
export function resultsOf(text: string): readonly { readonly command: string; readonly shown: string }[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      // The command goes on below a line that ends with a backslash.
      const [command = "", shown = ""] = part.split(/(?<!\\)\n([^]*)/);
      return { command, shown: shown.trimEnd() };
    });
}
