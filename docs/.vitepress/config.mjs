// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// The site that `npm run docs` makes of the pages, in dist/site. The list in docs/README.md is its navigation.

import { copyFileSync, mkdirSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { navigation, pagesOf } from "./navigation.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const sections = navigation(ROOT);
/** The title of each page in the list, by its path. */
const titles = new Map([
  ["docs/README.md", "Documentation"],
  ...pagesOf(sections).map(({ page, text }) => [page, text]),
]);

/** Path of a page in the site: docs/ is its root, and the pages outside docs/ are in the section that lists them. */
function sitePath(page) {
  if (page === "docs/README.md") return "index.md";
  const { folder } = sections.find((section) => pagesOf([section]).some((item) => item.page === page)) ?? {};
  if (folder === undefined) throw new Error(`${page} has no place in the list of docs/README.md`);
  if (page.startsWith("docs/")) return page.slice("docs/".length);
  return `${folder}/${page.replace(/\/README(?=\.md$)/, "").toLowerCase()}`;
}

/** Files of the repository that pages link to and that are no pages; the site has a copy of each. */
const copied = new Set();

/** Link of the site in place of a page's relative link; undefined when the target is a folder, which the site does not have. */
function siteLink(href, from) {
  const [path = "", anchor] = href.split("#");
  const target = relative(ROOT, resolve(dirname(from), path));
  if (titles.has(target)) return `/${sitePath(target)}${anchor === undefined ? "" : `#${anchor}`}`;
  const found = statSync(join(ROOT, target), { throwIfNoEntry: false });
  if (found === undefined) throw new Error(`${relative(ROOT, from)}: the link ${href} goes nowhere`);
  if (found.isDirectory()) return undefined;
  if (target.endsWith(".md")) throw new Error(`${target} has no place in the list of docs/README.md`);
  copied.add(target);
  return `/files/${target}`;
}

/** Keeps Vue from reading tags and interpolations in pages, which are plain Markdown; comments are left out, as on GitHub. */
function withoutTemplates(markdown) {
  const { escapeHtml } = markdown.utils;
  const { rules } = markdown.renderer;
  // The anchors of headings are an entity, which must stay.
  rules.html_block = rules.html_inline = (tokens, index) =>
    tokens[index].content.trimStart().startsWith("<!--") ? "" : tokens[index].content.replaceAll("<", "&lt;");
  rules.text = (tokens, index) => escapeHtml(tokens[index].content).replaceAll("{{", "&#123;&#123;");
}

/** Puts a page's title in place of a link's text that is the name of its file. */
function withTitle(label, href, { realPath, path }) {
  if (label.type !== "text" || !/^[\w./-]+\.md$/.test(label.content)) return;
  const target = relative(ROOT, resolve(dirname(realPath ?? path), href.split("#")[0]));
  label.content = titles.get(target) ?? label.content;
}

/** Makes the links of pages, which are paths in the repository, links of the site. */
function withSiteLinks(markdown) {
  markdown.core.ruler.push("site-links", ({ tokens, env }) => {
    for (const { children } of tokens)
      for (const [index, token] of (children ?? []).entries()) {
        if (token.type !== "link_open") continue;
        const href = token.attrGet("href") ?? "";
        if (href.startsWith("#") || /^[a-z]+:/.test(href)) continue;
        const link = siteLink(href, env.realPath ?? env.path);
        if (link !== undefined) {
          token.attrSet("href", link);
          withTitle(children[index + 1], href, env);
        } else
          for (const end of [token, children.slice(index).find(({ type }) => type === "link_close")])
            Object.assign(end, { type: "text", tag: "", content: "", nesting: 0 });
      }
  });
}

export default {
  title: "Purser",
  description: "Policy and telemetry for service meshes",
  srcDir: ROOT,
  srcExclude: ["!(docs|adapters|plugins|examples|bench)/**/*", "!(ARCHITECTURE).md", "**/.*/**"],
  outDir: join(ROOT, "dist/site"),
  cacheDir: join(ROOT, "node_modules/.cache/vitepress"),
  rewrites: sitePath,
  markdown: {
    config(markdown) {
      withoutTemplates(markdown);
      withSiteLinks(markdown);
    },
    // The anchors that GitHub gives headings, so that one link works in both.
    anchor: {
      slugify: (heading) =>
        heading
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\s_-]/gu, "")
          .replaceAll(" ", "-"),
    },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: sections.map(({ text, items }) => ({ text, items: items.map(sidebarItem) })),
  },
  buildEnd({ outDir }) {
    for (const file of copied) {
      const copy = join(outDir, "files", file);
      mkdirSync(dirname(copy), { recursive: true });
      copyFileSync(join(ROOT, file), copy);
    }
  },
};

function sidebarItem({ text, page, items }) {
  return {
    text,
    ...(page === undefined ? {} : { link: `/${sitePath(page).replace(/\.md$/, "")}` }),
    ...(items.length === 0 ? {} : { items: items.map(sidebarItem), collapsed: page !== undefined }),
  };
}
