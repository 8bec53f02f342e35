// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Reads the pages of the documentation, for tests that check them. Paths are relative to the repository. */

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const NOT_OURS: ReadonlySet<string> = new Set(["node_modules", "dist", "coverage"]);

/** Every file of the repository with the ending, without installed, built and hidden files. */
export function filesEndingIn(ending: string, folder = ""): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".") || NOT_OURS.has(entry.name)) return [];
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return filesEndingIn(ending, path);
    return entry.name.endsWith(ending) ? [path] : [];
  });
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The contents of a page's fenced blocks whose info string is `info`. */
export function blocksOf(page: string, info: string): readonly string[] {
  return [...page.matchAll(/^```(.*)\n([^]*?)^```$/gm)].flatMap(([, name, text]) =>
    name === info && text !== undefined ? [text] : [],
  );
}

/** A page's documents as one file, because they may refer to one another; empty when it has none. */
export function documentsOn(page: string): string {
  return blocksOf(page, "yaml")
    .filter((text) => /^kind:/m.test(text))
    .join("---\n");
}

/** The files that a page shows under a comment `<!-- test: PATH -->`, by path. */
export function namedFilesOn(page: string): ReadonlyMap<string, string> {
  const shown = page.matchAll(/<!-- test: (\S+) -->\n```\w+\n(.*?)```/gs);
  return new Map([...shown].map(([, path, text]) => [path as string, text as string] as const));
}
