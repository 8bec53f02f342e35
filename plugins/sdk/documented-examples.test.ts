// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { BUNDLED_ADAPTERS } from "../../adapters/inventory.ts";
import { readBuiltInManifest } from "../../config/built-in-manifest.ts";
import { parseDocuments } from "../../core/documents/parse-documents.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";
import { createInventory } from "../../core/hooks/inventory.ts";
import { formatDiagnostic } from "../../core/kernel/diagnostic.ts";
import { buildSnapshot } from "../../core/snapshot/build-snapshot.ts";
import { BUNDLED_PLUGINS } from "../inventory.ts";
import type { Extension } from "./index.ts";
import type { TestRunner } from "./testing/index.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The SDK as an author names it, and where it is here, where no package is installed. */
const SDK = { "purser/sdk/testing": "plugins/sdk/testing/index.ts", "purser/sdk": "plugins/sdk/index.ts" };

/** The documents of a page, and the files that it shows under a name. */
function readPage(path: string): { readonly files: ReadonlyMap<string, string>; readonly yaml: string } {
  const page = readFileSync(join(ROOT, path), "utf8");
  const files = [...page.matchAll(/<!-- test: (\S+) -->\n```ts\n(.*?)```/gs)].map(
    ([, name, text]) => [name as string, text as string] as const,
  );
  const documents = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text);
  return { files: new Map(files), yaml: documents.join("---\n") };
}

/** The faults of a page's documents, as a user would see them. */
function faultsOf(path: string, yaml: string, extensions: readonly Extension[]): string {
  const inventory = createInventory([...BUNDLED_ADAPTERS, ...BUNDLED_PLUGINS, ...extensions]);
  const built = buildSnapshot({
    // The extensions of the page are at hand: there is nothing to load.
    files: [parseDocuments({ path, text: yaml.replace(/^ *from: \.\/.*$/gm, "") })],
    version: "1",
    builtIn: [readBuiltInManifest()],
    compile: compileWithJsonata,
    inventory,
  });
  return built.ok ? "" : built.diagnostics.map((fault) => formatDiagnostic(fault)).join("\n");
}

/** Imports a test file and runs what it registers. */
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
  // Inside the tree, so that the packages that the examples import are found.
  let folder: string;
  before(() => {
    mkdirSync(join(ROOT, "dist"), { recursive: true });
    folder = mkdtempSync(join(ROOT, "dist", "documented-examples-"));
    for (const page of ["docs/adapters.md", "docs/plugins.md"]) {
      for (const [name, text] of readPage(page).files) {
        let local = text;
        for (const [specifier, path] of Object.entries(SDK)) {
          local = local.replaceAll(`"${specifier}"`, JSON.stringify(`../../${path}`));
        }
        writeFileSync(join(folder, name), local);
      }
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("are the ones that this test knows", () => {
    assert.deepEqual(readdirSync(folder), ["tenant.test.ts", "tenant.ts", "webhook.test.ts", "webhook.ts"]);
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
    ["tenant.test.ts", 7],
  ] as const) {
    it(`pass their own tests: ${name}`, async () => {
      assert.equal(await runTestFile(join(folder, name)), tests);
    });
  }

  it("do what their pages say", async () => {
    const { webhook } = (await import(join(folder, "webhook.ts"))) as { webhook: Extension };
    const { tenant } = (await import(join(folder, "tenant.ts"))) as { tenant: Extension };
    assert.equal(faultsOf("docs/adapters.md", readPage("docs/adapters.md").yaml, [webhook]), "");
    assert.equal(faultsOf("docs/plugins.md", readPage("docs/plugins.md").yaml, [tenant]), "");
  });

  for (const room of ["adapters", "plugins"]) {
    for (const entry of readdirSync(join(ROOT, room), { withFileTypes: true })) {
      const path = join(room, entry.name, "README.md");
      if (!entry.isDirectory() || entry.name === "sdk") continue;
      it(`are documents that take effect: ${path}`, () => {
        const { yaml } = readPage(path);
        assert.match(yaml, /^kind: Handler$/m);
        assert.equal(faultsOf(path, yaml, []), "");
      });
    }
  }
});
