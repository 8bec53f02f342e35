// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { BUNDLED_ADAPTERS } from "../../adapters/inventory.ts";
import { builtInManifest } from "../../config/built-in-manifest.ts";
import { parseDocuments } from "../../core/documents/parse-documents.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";
import { createInventory } from "../../core/hooks/inventory.ts";
import { formatDiagnostic } from "../../kernel/diagnostic.ts";
import { buildSnapshot } from "../../core/snapshot/build-snapshot.ts";
import { readScaffold } from "../../cli/scaffold/texts.ts";
import { scaffoldFiles } from "../../cli/scaffold/files.ts";
import { OWN_PACKAGE } from "../../cli/version.ts";
import {
  documentsOn,
  filesEndingIn,
  namedFilesOn,
  readText,
  ROOT,
} from "../../test/support/documentation.ts";
import { BUNDLED_PLUGINS } from "../inventory.ts";
import type { Extension } from "./index.ts";
import type { TestRunner } from "./testing/index.ts";

/**
 * The SDK's specifiers in the examples, and its path in this repository, where the package is not installed.
 */
const SDK = { "purser/sdk/testing": "plugins/sdk/testing/index.ts", "purser/sdk": "plugins/sdk/index.ts" };

/** Pages whose documents configure the extensions that they show. */
const THIRD_PARTY_PAGES = ["docs/guides/adapters.md", "docs/guides/plugins.md"];

/** The commands of these pages: what `purser new` writes is the rest of the extension. */
const WRITTEN = {
  "my-webhook": { kind: "adapter", templates: ["logentry"] },
  tenant: { kind: "plugin", templates: [] },
} as const;

/** The source files that `purser new` writes, without those that the pages replace. */
function writtenTests(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(WRITTEN).map(([name, { kind, templates }]) => {
      const ownPackage = OWN_PACKAGE ?? assert.fail("no package.json");
      const scaffold = { kind, name, templates, ownPackage, purser: undefined };
      const files = scaffoldFiles(scaffold, readScaffold(ROOT));
      return [`${name}/src/index.test.ts`, files.get("src/index.test.ts") as string];
    }),
  );
}

/** The faults of a page's documents, as a user would see them. */
function faultsOf(path: string, extensions: readonly Extension[] = []): string {
  const inventory = createInventory([...BUNDLED_ADAPTERS, ...BUNDLED_PLUGINS, ...extensions]);
  const built = buildSnapshot({
    // The extensions of the page are already loaded.
    files: [
      parseDocuments({ path, text: documentsOn(readText(path)).replace(/^ *from: \.{1,2}\/.*$/gm, "") }),
    ],
    version: "1",
    builtIn: [builtInManifest()],
    compile: compileWithJsonata,
    inventory,
  });
  return built.ok ? "" : built.diagnostics.map((fault) => formatDiagnostic(fault)).join("\n");
}

/** Imports a test file and runs the tests that it registers. */
async function runTestFile(path: string): Promise<number> {
  const globals = globalThis as unknown as { -readonly [K in keyof TestRunner]: TestRunner[K] };
  const { describe, it } = globals;
  const registered: (readonly [name: string, body: () => Promise<void>])[] = [];
  globals.describe = (_name, body) => body();
  globals.it = (name, body) => void registered.push([name, body]);
  try {
    await import(pathToFileURL(path).href);
  } finally {
    Object.assign(globals, { describe, it });
  }
  for (const [name, body] of registered) {
    await body().catch((error: unknown) => assert.fail(`${name}: ${String(error)}`));
  }
  return registered.length;
}

describe("the examples of the documentation", () => {
  // The folder is inside the tree, so that the packages that the examples import are found.
  let folder: string;
  before(() => {
    mkdirSync(join(ROOT, "dist"), { recursive: true });
    folder = mkdtempSync(join(ROOT, "dist", "documented-examples-"));
    const shown = ["README.md", ...THIRD_PARTY_PAGES].flatMap((page) => [...namedFilesOn(readText(page))]);
    for (const [name, text] of [...shown, ...writtenTests()]) {
      if (!name.endsWith(".ts")) continue;
      const file = join(folder, name);
      mkdirSync(dirname(file), { recursive: true });
      let local = text;
      for (const [specifier, path] of Object.entries(SDK)) {
        const there = relative(dirname(file), join(ROOT, path));
        local = local.replaceAll(`"${specifier}"`, JSON.stringify(there));
      }
      writeFileSync(file, local);
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("are exactly those that this test lists", () => {
    const names = ["my-webhook/src/index", "tenant/src/index"].flatMap((name) => [
      `${name}.test.ts`,
      `${name}.ts`,
    ]);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    assert.deepEqual(
      files.filter((name) => name.endsWith(".ts")).toSorted(),
      [...names, "shout.ts"].toSorted(),
    );
  });

  it("pass the compiler under the project's own rules", async () => {
    const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, "tsconfig.base.json"), "utf8")) as {
      compilerOptions: Record<string, unknown>;
    };
    const tsconfig = join(folder, "tsconfig.json");
    const options = {
      ...compilerOptions,
      composite: false,
      declarationMap: false,
      noEmit: true,
      types: ["node"],
    };
    writeFileSync(tsconfig, JSON.stringify({ compilerOptions: options, include: ["**/*.ts"] }));
    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    await promisify(execFile)(process.execPath, [tsc, "-p", tsconfig]).catch((error: { stdout: string }) =>
      assert.fail(error.stdout),
    );
  }).timeout(30_000);

  for (const [name, tests] of [
    ["my-webhook/src/index.test.ts", 14],
    ["tenant/src/index.test.ts", 9],
  ] as const) {
    it(`pass their own tests: ${name}`, async () => {
      assert.equal(await runTestFile(join(folder, name)), tests);
    });
  }

  it("behave as their pages say", async () => {
    const modules = await Promise.all(
      Object.keys(WRITTEN).map(
        (name) => import(join(folder, name, "src/index.ts")) as Promise<Record<string, Extension>>,
      ),
    );
    const extensions = modules.flatMap((exports) => Object.values(exports));
    assert.equal(extensions.length, 2);
    for (const page of THIRD_PARTY_PAGES) assert.equal(faultsOf(page, extensions), "");
  });

  for (const room of ["adapters", "plugins"]) {
    for (const entry of readdirSync(join(ROOT, room), { withFileTypes: true })) {
      const path = `${room}/${entry.name}/README.md`;
      if (!entry.isDirectory() || entry.name === "sdk") continue;
      it(`show how to configure each extension: ${path}`, () => {
        assert.match(documentsOn(readText(path)), /^kind: Handler$/m);
      });
    }
  }

  for (const path of filesEndingIn(".md")) {
    if (THIRD_PARTY_PAGES.includes(path) || documentsOn(readText(path)) === "") continue;
    it(`are documents that take effect: ${path}`, () => {
      assert.equal(faultsOf(path), "");
    });
  }
});
