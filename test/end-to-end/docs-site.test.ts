// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { pathToFileURL } from "node:url";
import { filesEndingIn, ROOT } from "../support/documentation.ts";

/** Longest time of the build, in milliseconds; 20 s on two idle cores. */
const BUILD_DEADLINE_MS = 150_000;

/** Elements that make a browser load their address, by their attribute with the address. */
const LOADED =
  /<(?:script|img|iframe|source|audio|video)\b[^>]*?\ssrc="([^"]*)"|<link\b[^>]*?\shref="([^"]*)"/g;

/** The part of a serialized MiniSearch index that a look-up needs. */
interface SearchIndex {
  readonly documentIds: Readonly<Record<string, string>>;
  /** Each term with its documents, by the number of the field. */
  readonly index: readonly (readonly [
    term: string,
    fields: Readonly<Record<string, Readonly<Record<string, number>>>>,
  ])[];
}

describe("the site that npm run docs makes", function () {
  this.timeout(BUILD_DEADLINE_MS + 10_000);
  let site: string;
  let pages: ReadonlyMap<string, string>;

  before(async () => {
    site = mkdtempSync(join(tmpdir(), "purser-docs-site-"));
    const startedMs = performance.now();
    const build = spawn("npm", ["run", "--silent", "docs", "--", "--outDir", site], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    for (const stream of [build.stdout, build.stderr]) stream.on("data", (text) => (output += String(text)));
    const timer = setTimeout(() => process.kill(-(build.pid as number), "SIGKILL"), BUILD_DEADLINE_MS);
    const [code] = (await once(build, "close")) as [number | null];
    clearTimeout(timer);
    assert.equal(code, 0, output);
    console.log(`      built in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    const paths = readdirSync(site, { recursive: true, encoding: "utf8" });
    pages = new Map(
      paths
        .filter((path) => path.endsWith(".html") && path !== "404.html")
        .map((path) => [path, readFileSync(join(site, path), "utf8")]),
    );
  });

  after(() => {
    if (site !== undefined) rmSync(site, { recursive: true, force: true });
  });

  it("has each page of docs/ and each extension's guide, with a place in the navigation", () => {
    const sources = filesEndingIn(".md").filter((path) => /^(docs|adapters|plugins)\//.test(path));
    assert.ok(sources.length > 40);
    for (const source of sources) {
      const path = source
        .replace(/^docs\/README\.md$/, "index.md")
        .replace(/^docs\//, "")
        .replace(/^((?:adapters|plugins)\/.*)\/README\.md$/, "reference/$1.md")
        .replace(/\.md$/, ".html");
      assert.ok(pages.has(path), source);
    }
    const [sidebar = ""] = /<aside class="VPSidebar"[^]*?<\/aside>/.exec(pages.get("index.html") ?? "") ?? [];
    for (const path of pages.keys())
      assert.ok(
        path === "index.html" || sidebar.includes(`href="/${path}"`),
        `${path} is not in the sidebar`,
      );
  });

  it("has links to pages, headings and files that exist", () => {
    const broken = [...pages].flatMap(([path, html]) =>
      [...html.matchAll(/<a\b[^>]*?\shref="([^"]*)"/g)]
        .map(([, href]) => decodeURI((href as string).replaceAll("&amp;", "&")))
        .filter((href) => !/^[a-z]+:/.test(href))
        .filter((href) => {
          const [file = "", anchor] = href.split("#");
          const target = normalize(file.startsWith("/") ? file.slice(1) : join(dirname(path), file));
          const linked = file === "" ? path : target.replace(/^\.?\/?$/, "index.html");
          if (!pages.has(linked)) return !existsSync(join(site, linked));
          return anchor !== undefined && !pages.get(linked)?.includes(`id="${anchor}"`);
        })
        .map((href) => `${path}: ${href}`),
    );
    assert.deepEqual(broken, []);
  });

  it("shows no entity as its source", () => {
    const shown = [...pages].filter(([, html]) => /&amp;\w+;/.test(html.replace(/<pre[^]*?<\/pre>/g, "")));
    assert.deepEqual(
      shown.map(([path]) => path),
      [],
    );
  });

  it("calls pages by their titles, and never by their files", () => {
    const files = [...pages].flatMap(([path, html]) =>
      [...html.matchAll(/<a\b[^>]*>([\w./-]+\.md)<\/a>/g)].map(([, text]) => `${path}: ${text}`),
    );
    assert.deepEqual(files, []);
    assert.match(pages.get("reference/api.html") ?? "", />Quotas that run<\/a> explains/);
  });

  it("loads nothing from elsewhere", () => {
    const addresses = [...pages].flatMap(([path, html]) =>
      [...html.matchAll(LOADED)].map(([, src, href]) => ({ path, address: (src ?? href) as string })),
    );
    for (const file of readdirSync(join(site, "assets")).filter((name) => name.endsWith(".css")))
      for (const [, address = ""] of readFileSync(join(site, "assets", file), "utf8").matchAll(
        /(?:url\(|@import\s+)["']?([^"')\s]+)/g,
      ))
        addresses.push({ path: file, address });
    assert.ok(addresses.length > pages.size);
    assert.deepEqual(
      addresses.filter(({ address }) => !/^(?:\/(?!\/)|data:)/.test(address)),
      [],
    );
  });

  it("has a search that finds words of pages", async () => {
    const chunks = join(site, "assets/chunks");
    const name = readdirSync(chunks).find((file) => file.startsWith("@localSearchIndex")) ?? "";
    copyFileSync(join(chunks, name), join(site, "index.mjs"));
    const { default: text } = (await import(pathToFileURL(join(site, "index.mjs")).href)) as {
      default: string;
    };
    const { documentIds, index } = JSON.parse(text) as SearchIndex;
    const found = (word: string): readonly string[] => {
      const [, fields = {}] = index.find(([term]) => term === word) ?? [];
      return Object.values(fields).flatMap((documents) =>
        Object.keys(documents).map((id) => documentIds[id] as string),
      );
    };
    assert.ok(found("admission").some((id) => id.startsWith("/guides/quotas.html#how-exact")));
    assert.ok(found("capturemode").includes("/reference/routing.html#sidecar"));
    assert.deepEqual(found("nosuchword"), []);
  });
});
