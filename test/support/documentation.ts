// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FencedBlock, fencedBlocks } from "./fenced-blocks.ts";

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

/** Whether a block holds documents of a mesh that are meant to be valid. */
export function isDocuments({ language, settings, text }: FencedBlock): boolean {
  return language === "yaml" && /^kind:/m.test(text) && !settings.has("invalid") && !settings.has("norun");
}

/** A page's valid documents as one file, because they may refer to one another; empty when it has none. */
export function documentsOn(page: string): string {
  return fencedBlocks(page)
    .filter(isDocuments)
    .map(({ text }) => text)
    .join("---\n");
}

/** The pages that are followed like a reader would: README.md, and every page below docs/. */
export const FOLLOWED_PAGES: readonly string[] = ["README.md", ...filesEndingIn(".md", "docs")];
