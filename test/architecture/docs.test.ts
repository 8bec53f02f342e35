// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { SURFACE_DOCUMENTS } from "../../api/json/operations/surfaces.ts";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { decodeDiscoveryRequest, decodeTrafficUpdate } from "../../api/json/discovery.ts";
import { RESOURCE_TYPES } from "../../core/traffic/resources/resource-set.ts";
import { purserCommand } from "../../cli/main.ts";
import { flagsOf } from "../docs/command-lines.ts";
import { filesEndingIn, readText, ROOT } from "../support/documentation.ts";
import { fencedBlocks } from "../support/fenced-blocks.ts";

// The files, packages, metrics, flags and words that the documentation names must exist.
// The tests in test/docs/ follow its commands and check its documents.

const PAGES = filesEndingIn(".md").map((path) => ({ path, text: readText(path) }));
const SOURCE = filesEndingIn(".ts")
  .filter((path) => !/\.test\.ts$|^test\/|^bench\//.test(path))
  .map((path) => ({ path, text: readText(path) }));

const page = (path: string): string => PAGES.find((known) => known.path === path)?.text ?? "";

/** A page without its fenced blocks. */
const prose = (text: string): string => text.replace(/^```[^]*?^```$/gm, "");

/** The section of a page under a heading, up to the next heading of the same level. */
const section = (text: string, heading: string): string =>
  text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";

/** The texts in backticks in the first cell of each table row. */
const firstCells = (text: string): readonly string[] =>
  [...text.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = ""]) => quoted(cell));

const quoted = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`\n]+)`/g)].map(([, word]) => word as string);

/** The text of the block `json NAME` of the page of APIs. */
const example = (name: string): string =>
  fencedBlocks(page("docs/reference/api.md")).find(({ words }) => words.includes(name))?.text ??
  assert.fail(`no example ${name}`);

/** The anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set(
    [...prose(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );

describe("the documentation", () => {
  it("links to files and headings that exist", () => {
    const broken = PAGES.flatMap(({ path, text }) =>
      [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target]) => target as string)
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [file = "", anchor] = target.split("#");
          const linked = file === "" ? path : join(dirname(path), file);
          if (!existsSync(join(ROOT, linked))) return true;
          return anchor !== undefined && !anchorsOf(readText(linked)).has(anchor);
        })
        .map((target) => `${path}: ${target}`),
    );
    assert.deepEqual(broken, []);
  });

  it("is named by its pages' paths in sources, help texts, alerts and scaffolds", () => {
    const named = [".ts", ".mjs", ".yaml", ".yml", ".json", ".txt"]
      .flatMap((ending) => filesEndingIn(ending))
      // The package made by the last build may be older than the pages.
      .filter((path) => !path.startsWith("test/architecture/") && !path.startsWith("lib/"))
      .flatMap((path) =>
        [...readText(path).matchAll(/(?<![\w/-])(?:\.\.\/)*(docs\/[\w./-]+\.md)\b/g)].map(([, page]) => ({
          path,
          page: page as string,
        })),
      );
    assert.ok(named.length > 100);
    assert.deepEqual(
      named.filter(({ page }) => !existsSync(join(ROOT, page))),
      [],
    );
  });

  it("can be reached from README.md on every page", () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const [, target = ""] of page(path).matchAll(/\]\(([^)\s#]+\.md)[)#]/g))
        if (!/^[a-z]+:/.test(target)) visit(join(dirname(path), target));
    };
    visit("README.md");
    const docs = PAGES.map(({ path }) => path).filter((path) => path.startsWith("docs/"));
    assert.deepEqual(
      docs.filter((path) => !reached.has(path)),
      [],
    );
  });

  it("names every metric of the program, and no other", () => {
    // The lookbehind excludes nginx variables and locations with the prefix purser_.
    const METRIC = /(?<![$@\w])purser_[a-z]+(?:_[a-z]+)*\b/g;
    const made = new Set(
      SOURCE.flatMap(({ text }) =>
        [...text.matchAll(/"(purser_[a-z_]+)"/g)].map(([, name]) => name as string),
      ),
    );
    assert.ok(made.size > 10);
    const spoken = new Set(PAGES.flatMap(({ text }) => text.match(METRIC) ?? []));
    assert.deepEqual(
      [...spoken].filter((name) => !made.has(name)),
      [],
    );
    assert.deepEqual(
      [...made].filter((name) => !spoken.has(name)),
      [],
    );
  });

  it("names only flags that the program has", () => {
    const flags = new Set(["--help", ...flagsOf(purserCommand())]);
    const unknown = PAGES.flatMap(({ path, text }) =>
      (withoutForeignCommands(text).match(FLAG) ?? [])
        .filter((flag) => !flags.has(flag))
        .map((flag) => `${path}: ${flag}`),
    );
    assert.deepEqual(unknown, []);
  });

  it("describes every path of the control surfaces", () => {
    const firstCells = page("docs/reference/api.md")
      .split("\n")
      .map((line) => /^\| ([^|]+) \|/.exec(line)?.[1] ?? "");
    const described = new Set(firstCells.flatMap((cell) => cell.match(/(?<=[ `])\/[\w/.*-]+(?=`)/g) ?? []));
    for (const document of Object.values(SURFACE_DOCUMENTS))
      for (const path of Object.keys(document()["paths"] as object))
        assert.ok(described.has(path.replace(/\{\w+\}/, "*")), path);
  });

  it("shows nodes that pilot accepts", () => {
    for (const kind of ["proxy-node", "proxy-node-sidecar"]) {
      const node = example(kind);
      assert.deepEqual(decodeDiscoveryRequest({ node }).node, JSON.parse(node));
    }
  });

  it("shows an update that a proxy accepts", () => {
    const update = example("traffic-update");
    assert.deepEqual(Object.keys(decodeTrafficUpdate(JSON.parse(update))), [...RESOURCE_TYPES]);
  });
});

const FLAG = /(?<![\w-])--[a-z][a-z0-9-]*[a-z0-9]/g;
/** Lines with flags of other commands; the demo passes `purser run` the flags after `--`. */
const FOREIGN = /^(?:\$ )?(?:curl|docker-compose|npm(?! start)|npx (?!purser)|-- )/;

/** A page without the commands of other programs. */
function withoutForeignCommands(text: string): string {
  return text
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => !FOREIGN.test(line))
    .join("\n")
    .replace(/`([^`\n]+)`/g, (whole, command: string) => (FOREIGN.test(command) ? "" : whole));
}

describe("ARCHITECTURE.md", () => {
  const text = page("ARCHITECTURE.md");

  it("points to files that exist", () => {
    const pointers = quoted(section(text, "Where to look"));
    assert.ok(pointers.length > 10);
    assert.deepEqual(
      pointers.filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
  });

  it("names only paths that exist", () => {
    const roots = new Set(readdirSync(ROOT));
    const paths = quoted(text).filter((word) => word.includes("/") && roots.has(word.split("/")[0] ?? ""));
    assert.deepEqual(
      paths.filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
  });

  it("describes every room", () => {
    const { references } = JSON.parse(readText("tsconfig.json")) as { references: { path: string }[] };
    for (const { path } of references)
      assert.match(section(text, "The rooms"), new RegExp(`\\*\\*\`${path}/\`\\*\\*`));
  });

  it("gives a reason for every dependency, and for no other package", () => {
    const { dependencies, devDependencies } = JSON.parse(readText("package.json")) as Record<
      "dependencies" | "devDependencies",
      Record<string, string>
    >;
    const [forUse = "", forDevelopment = ""] = section(text, "Dependencies").split("For development:");
    assert.deepEqual(firstCells(forUse).toSorted(), Object.keys(dependencies).toSorted());
    assert.deepEqual(firstCells(forDevelopment).toSorted(), Object.keys(devDependencies).toSorted());
  });
});

describe("docs/concepts/glossary.md", () => {
  const words = [...page("docs/concepts/glossary.md").matchAll(/^\| \*\*([^*]+)\*\* \|/gm)].flatMap(
    ([, words = ""]) => words.split(", "),
  );
  const elsewhere = [...PAGES, ...SOURCE]
    .filter(({ path }) => path !== "docs/concepts/glossary.md")
    .map(({ text }) => text)
    .join("\n");

  it("has no word that is used nowhere else", () => {
    assert.ok(words.length > 20);
    // The term `circuit breaker` also occurs as CircuitBreaker and circuit-breaker.
    const dead = words.filter(
      (word) => !new RegExp(`(?<![a-z])${word.replaceAll(" ", "[ -]?")}`, "i").test(elsewhere),
    );
    assert.deepEqual(dead, []);
  });
});
