// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Static imports and exports of values; a name without `./` is a package. */
const IMPORT = /^(?:import|export) (?!type )(?:[^"';]*? from )?"([^"]+)";/gm;

/** All files and packages that are loaded with `file`. */
function loadedWith(file: string, loaded = new Set<string>()): ReadonlySet<string> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  for (const [, name = ""] of readFileSync(file, "utf8").matchAll(IMPORT)) {
    if (name.startsWith(".")) loadedWith(resolve(dirname(file), name), loaded);
    else if (!name.startsWith("node:")) loaded.add(name);
  }
  return loaded;
}

describe("the definitions of the commands", () => {
  // An import of a service here would make `purser --version` and `--help` many times slower.
  it("load no service and no large library", () => {
    const loaded = loadedWith(`${ROOT}cli/main.ts`);
    const packages = [...loaded].filter((name) => !name.startsWith("/"));
    assert.deepEqual(packages.toSorted(), ["commander", "fastest-levenshtein"]);
    assert.ok(loaded.size < 43, [...loaded].join("\n"));
    assert.ok(loaded.size > 15, "the imports were found");
  });
});

describe("the services", () => {
  // Each library costs every start its time and its memory. A library that few processes need is loaded by `import()`, and stands
  // in scripts/bundle.mjs among those that the bundle leaves out.
  it("load these libraries when the whole mesh starts", () => {
    const packages = [...loadedWith(`${ROOT}cli/actions/run.ts`)].filter((name) => !name.startsWith("/"));
    assert.deepEqual(packages.toSorted(), [
      "@eslint-community/regexpp",
      "@koa/router",
      "@opentelemetry/api",
      "chokidar",
      "fastest-levenshtein",
      "ipaddr.js",
      "jose",
      "jsonata",
      "koa",
      "lru-cache",
      "pino",
      "pino-pretty",
      "prom-client",
      "semver",
      "structured-headers",
      "tapable",
      "typebox",
      "typebox/schema",
      "typebox/value",
      "yaml",
    ]);
  });

  const [, list = ""] =
    /^const EXTERNAL = \[([^\]]*)\]/m.exec(readFileSync(`${ROOT}scripts/bundle.mjs`, "utf8")) ?? [];
  const external = [...list.matchAll(/"([^"]+)"/g)].map(([, name]) => name);

  // The bundle leaves these libraries out. A static import loads one from its own files, for up to 100 ms of each start.
  for (const command of ["run", "mixer", "pilot", "proxy", "proxy-worker"])
    it(`load none of the libraries that few processes need when ${command} starts`, () => {
      const loaded = loadedWith(`${ROOT}cli/actions/${command}.ts`);
      assert.ok(external.includes("undici"), "the list was found");
      assert.deepEqual(
        external.filter((name) => name !== undefined && loaded.has(name)),
        [],
      );
      assert.ok(loaded.has("yaml") || loaded.has("pino"), "the imports were found");
    });
});
