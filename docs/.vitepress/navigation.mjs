// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { posix } from "node:path";

/**
 * @typedef {{ text: string, page: string, items: Item[] }} Item a page, and the pages listed below it
 * @typedef {{ text: string, folder: string, items: Item[] }} Section
 */

/**
 * The order of the pages: the sections of docs/README.md with their lists. Paths are relative to the repository.
 * @param {string} root folder of the repository
 * @returns {Section[]}
 */
export function navigation(root) {
  const sections = [];
  for (const line of readFileSync(posix.join(root, "docs/README.md"), "utf8").split("\n")) {
    const [, heading] = /^## (.+)$/.exec(line) ?? [];
    if (heading !== undefined) sections.push({ text: heading, folder: heading.toLowerCase(), items: [] });
    const [, indent, text, link] = /^( *)- \[([^\]]+)\]\(([^)]+)\)/.exec(line) ?? [];
    if (link === undefined) continue;
    const { items } = sections.at(-1);
    const list = indent === "" ? items : items.at(-1).items;
    list.push({ text, page: posix.join("docs", link), items: [] });
  }
  return sections;
}

/**
 * Every page of the sections, in their order.
 * @param {readonly Section[]} sections
 * @returns {Item[]}
 */
export function pagesOf(sections) {
  return sections.flatMap(({ items }) => items.flatMap((item) => [item, ...item.items]));
}
