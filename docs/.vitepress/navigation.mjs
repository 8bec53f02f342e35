// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { posix } from "node:path";

/**
 * @typedef {{ text: string, page?: string, items: Item[] }} Item a page with the pages listed below it, or a group of pages
 * @typedef {{ text: string, folder: string, items: Item[] }} Section
 */

/**
 * The order of the pages: the sections of docs/README.md with their lists. A line that ends with a colon begins a group. Paths are
 * relative to the repository.
 * @param {string} root folder of the repository
 * @returns {Section[]}
 */
export function navigation(root) {
  const sections = [];
  let list = [];
  for (const line of readFileSync(posix.join(root, "docs/README.md"), "utf8").split("\n")) {
    const [, heading] = /^## (.+)$/.exec(line) ?? [];
    const [, group] = /^(\w.*):$/.exec(line) ?? [];
    const [, indent, text, link] = /^( *)- \[([^\]]+)\]\(([^)]+)\)/.exec(line) ?? [];
    if (heading !== undefined) {
      list = [];
      sections.push({ text: heading, folder: heading.toLowerCase(), items: list });
    } else if (group !== undefined) {
      list = [];
      sections.at(-1).items.push({ text: group, items: list });
    } else if (link !== undefined)
      (indent === "" ? list : list.at(-1).items).push({ text, page: posix.join("docs", link), items: [] });
  }
  return sections;
}

/**
 * Every page of the sections or groups, in their order.
 * @param {readonly { items: Item[] }[]} parents
 * @returns {Item[]}
 */
export function pagesOf(parents) {
  return parents.flatMap(({ items }) =>
    items.flatMap((item) => [...(item.page === undefined ? [] : [item]), ...pagesOf([item])]),
  );
}
