// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModuleExtensions } from "../core/documents/set/handlers.ts";
import type { Scheduler } from "../kernel/ports.ts";
import { loadExtensions } from "./extension-loader.ts";

const EXTENSION = (sort: string, name: string) =>
  `{ extension: "${sort}", name: "${name}", description: "", templates: [], config: {}, build() {} }`;

/** A scheduler whose time passes only when the test says so. */
const never: Scheduler = { after: () => () => {}, every: () => () => {} };
const atOnce: Scheduler = {
  after(_delayMs, task) {
    const timer = setImmediate(task);
    return () => clearImmediate(timer);
  },
  every: () => () => {},
};

describe("loading extensions", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-extensions-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const put = (name: string, text: string) => {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const load = (specifier: string, scheduler = never) =>
    loadExtensions(specifier, join(folder, "mesh", "handlers.yaml"), scheduler);
  const names = (loaded: ModuleExtensions) => {
    assert.ok(loaded.ok, JSON.stringify(loaded));
    return [...loaded.extensions.adapters.keys(), ...loaded.extensions.plugins.keys()];
  };

  it("finds every extension that a module beside the document exports", async () => {
    put(
      "lib/mine.mjs",
      `export const a = ${EXTENSION("adapter", "one")};
       export default ${EXTENSION("plugin", "two")};
       export const other = { extension: "adapter", name: "no-build" };
       export const version = 1;`,
    );
    assert.deepEqual(names(await load("../lib/mine.mjs")), ["one", "two"]);
    assert.deepEqual(names(await load(join(folder, "lib/mine.mjs"))), ["one", "two"]);
  });

  it("finds a package that is installed beside the document", async () => {
    put("mesh/node_modules/their-adapter/package.json", '{ "name": "their-adapter", "main": "main.js" }');
    put("mesh/node_modules/their-adapter/main.js", `exports.it = ${EXTENSION("adapter", "theirs")};`);
    assert.deepEqual(names(await load("their-adapter")), ["theirs"]);
  });

  it("says why a module provides no extension", async () => {
    put("mesh/empty.mjs", "export const nothing = 1;");
    put("mesh/throws.mjs", 'throw new Error("no licence");');
    put("mesh/broken.mjs", "export const = ;");
    const said: [string, RegExp][] = [
      ["./empty.mjs", /^\.\/empty\.mjs exports no adapter and no plugin$/],
      ["./throws.mjs", /^\.\/throws\.mjs could not be loaded: no licence$/],
      ["./broken.mjs", /^\.\/broken\.mjs could not be loaded: /],
      ["./nowhere.mjs", /^\.\/nowhere\.mjs could not be loaded: Cannot find module/],
      ["not-installed", /^not-installed could not be loaded: Cannot find package/],
    ];
    for (const [specifier, message] of said) {
      const loaded = await load(specifier);
      assert.ok(!loaded.ok);
      assert.match(loaded.message, message);
    }
  });

  it("does not wait for a module that never finishes", async () => {
    put("mesh/hangs.mjs", "await new Promise(() => setInterval(() => {}, 1e9).unref());");
    const loaded = await load("./hangs.mjs", atOnce);
    assert.ok(!loaded.ok);
    assert.match(loaded.message, /did not finish loading within 10000 ms/);
  });
});
