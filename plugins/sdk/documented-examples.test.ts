// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { BUNDLED_ADAPTERS } from "../../adapters/inventory.ts";
import { builtInManifest } from "../../config/built-in-manifest.ts";
import { parseDocuments } from "../../core/documents/parse-documents.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";
import { createInventory } from "../../core/hooks/inventory.ts";
import { formatDiagnostic } from "../../kernel/diagnostic.ts";
import { buildSnapshot } from "../../core/snapshot/build-snapshot.ts";
import { documentsOn, filesEndingIn, readText, ROOT } from "../../test/support/documentation.ts";
import { BUNDLED_PLUGINS } from "../inventory.ts";
import type { Extension } from "./index.ts";
import type { TestRunner } from "./testing/index.ts";

/**
 * The SDK's specifiers in the examples, and its path in this repository, where the package is not installed.
 */
const SDK = { "purser/sdk/testing": "plugins/sdk/testing/index.ts", "purser/sdk": "plugins/sdk/index.ts" };

/** Pages whose documents configure the extensions that they show. */
const THIRD_PARTY_PAGES = ["docs/adapters.md", "docs/plugins.md"];

/** The files that a page shows with a name. */
function filesOn(path: string): ReadonlyMap<string, string> {
  const shown = readText(path).matchAll(/<!-- test: (\S+) -->\n```ts\n(.*?)```/gs);
  return new Map([...shown].map(([, name, text]) => [name as string, text as string] as const));
}

/** The faults of a page's documents, as a user would see them. */
function faultsOf(path: string, extensions: readonly Extension[] = []): string {
  const inventory = createInventory([...BUNDLED_ADAPTERS, ...BUNDLED_PLUGINS, ...extensions]);
  const built = buildSnapshot({
    // The extensions of the page are already loaded.
    files: [parseDocuments({ path, text: documentsOn(readText(path)).replace(/^ *from: \.\/.*$/gm, "") })],
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
    for (const page of ["README.md", ...THIRD_PARTY_PAGES]) {
      for (const [name, text] of filesOn(page)) {
        let local = text;
        for (const [specifier, path] of Object.entries(SDK)) {
          local = local.replaceAll(`"${specifier}"`, JSON.stringify(`../../${path}`));
        }
        writeFileSync(join(folder, name), local);
      }
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("are exactly those that this test lists", () => {
    const names = ["shout.ts", "tenant.test.ts", "tenant.ts", "webhook.test.ts", "webhook.ts"];
    assert.deepEqual(readdirSync(folder), names);
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
    writeFileSync(tsconfig, JSON.stringify({ compilerOptions: options, include: ["*.ts"] }));
    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    await promisify(execFile)(process.execPath, [tsc, "-p", tsconfig]).catch((error: { stdout: string }) =>
      assert.fail(error.stdout),
    );
  }).timeout(30_000);

  for (const [name, tests] of [
    ["webhook.test.ts", 12],
    ["tenant.test.ts", 9],
  ] as const) {
    it(`pass their own tests: ${name}`, async () => {
      assert.equal(await runTestFile(join(folder, name)), tests);
    });
  }

  it("behave as their pages say", async () => {
    const { webhook } = (await import(join(folder, "webhook.ts"))) as { webhook: Extension };
    const { tenant } = (await import(join(folder, "tenant.ts"))) as { tenant: Extension };
    for (const page of THIRD_PARTY_PAGES) assert.equal(faultsOf(page, [webhook, tenant]), "");
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
