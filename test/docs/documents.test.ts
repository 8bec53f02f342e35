// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { BUNDLED_ADAPTERS } from "../../adapters/inventory.ts";
import { builtInManifest } from "../../config/built-in-manifest.ts";
import { parseDocuments } from "../../core/documents/parse-documents.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";
import { createInventory } from "../../core/hooks/inventory.ts";
import { buildSnapshot } from "../../core/snapshot/build-snapshot.ts";
import { type Diagnostic, formatDiagnostic } from "../../kernel/diagnostic.ts";
import { BUNDLED_PLUGINS } from "../../plugins/inventory.ts";
import {
  documentsOn,
  filesEndingIn,
  FOLLOWED_PAGES,
  isDocuments,
  readText,
} from "../support/documentation.ts";
import { type FencedBlock, fencedBlocks } from "../support/fenced-blocks.ts";

// The documents that a page shows take effect together, and at every moment: a page may show a file again, changed. A block with
// `invalid=CODE` is refused, or warned of, with this code, beside the documents above it.

/** A handler with a module of its page, which only the page's own commands can load. */
const OWN_MODULE = /\bfrom: \.{1,2}\//;

/** The errors and warnings of documents, given by the paths of their files, with the bundled extensions. */
function diagnosticsOf(files: ReadonlyMap<string, string>): readonly Diagnostic[] {
  const built = buildSnapshot({
    files: [...files].map(([path, text]) => parseDocuments({ path, text })),
    version: "1",
    builtIn: [builtInManifest()],
    compile: compileWithJsonata,
    inventory: createInventory([...BUNDLED_ADAPTERS, ...BUNDLED_PLUGINS]),
  });
  return built.ok ? built.warnings : built.diagnostics;
}

/** The faults of a page's documents, each with the line of a block. */
function faultsOf(page: string): readonly string[] {
  const faults: string[] = [];
  const files = new Map<string, string>();
  const check = (line: number): void => {
    for (const fault of diagnosticsOf(files).filter(({ severity }) => severity === "error"))
      faults.push(`before line ${line}: ${formatDiagnostic(fault)}`);
  };
  for (const block of fencedBlocks(page)) {
    const { line, settings, text } = block;
    const path = settings.get("file") ?? `line ${line}`;
    const code = settings.get("invalid");
    if (code !== undefined) {
      const codes = diagnosticsOf(new Map([...files, [path, text]])).map((fault) => fault.code as string);
      if (!codes.includes(code))
        faults.push(`${line}: refused with ${codes.join() || "nothing"}, not with ${code}`);
    } else if (isDocuments(block) && !OWN_MODULE.test(text)) {
      if (files.has(path)) check(line);
      files.set(path, text);
    }
  }
  check(page.split("\n").length);
  return faults;
}

/** Faults of blocks that are data: JSON must be JSON; YAML must be a document, a file of the page or a named example of a test, or have a reason. */
function faultsOfData(block: FencedBlock): readonly string[] {
  const { line, language, words, settings, text } = block;
  if (language === "json") {
    try {
      JSON.parse(text);
    } catch (error) {
      return [`${line}: ${(error as Error).message}`];
    }
  }
  const known = isDocuments(block) || ["file", "invalid", "norun"].some((key) => settings.has(key));
  return language === "yaml" && !known && words.length === 0
    ? [
        `${line}: yaml without a kind is neither a file of the page nor an example with a name, and norun gives no reason`,
      ]
    : [];
}

describe("the documents that are shown", () => {
  for (const path of filesEndingIn(".md")) {
    const page = readText(path);
    if (!fencedBlocks(page).some(({ language }) => language === "yaml")) continue;
    it(`take effect, or are refused as shown: ${path}`, () => {
      assert.deepEqual(faultsOf(page), []);
    });
  }

  for (const path of filesEndingIn("README.md").filter((file) =>
    /^(?:adapters|plugins)\/[\w-]+\//.test(file),
  ))
    it(`show how to configure the extension: ${path}`, () => {
      assert.match(documentsOn(readText(path)), /^kind: Handler$/m);
    });

  it("are checked by the commands of their page when they name a module of it", () => {
    const pages = FOLLOWED_PAGES.map(readText).filter((page) => OWN_MODULE.test(page));
    assert.ok(pages.length > 0);
    for (const page of pages)
      assert.ok(
        fencedBlocks(page).some(({ language, text }) => language === "sh" && /purser validate/.test(text)),
      );
  });

  it("are the only data, beside files and examples of other tests", () => {
    assert.deepEqual(
      FOLLOWED_PAGES.flatMap((path) =>
        fencedBlocks(readText(path)).flatMap((block) =>
          faultsOfData(block).map((fault) => `${path}:${fault}`),
        ),
      ),
      [],
    );
  });

  it("have the names of examples that a test mentions", () => {
    const tests = filesEndingIn(".test.ts").map(readText).join("\n");
    const unknown = FOLLOWED_PAGES.flatMap((path) =>
      fencedBlocks(readText(path)).flatMap(({ language, words }) =>
        language === "json" || language === "yaml" ? words.filter((word) => !tests.includes(word)) : [],
      ),
    );
    assert.deepEqual(unknown, []);
  });
});
