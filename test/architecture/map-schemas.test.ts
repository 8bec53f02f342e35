// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const OTHERS = new Set(["node_modules", "dist", "test", "bench", "coverage"]);
const HELPER = join("core", "documents", "kinds", "map-of.ts");

describe("the schemas of maps", () => {
  it("are made by MapOf, which checks the values under every key", () => {
    const rooms = readdirSync(ROOT, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && !OTHERS.has(entry.name) && !entry.name.startsWith("."),
    );
    const files = rooms
      .flatMap(({ name }) =>
        readdirSync(join(ROOT, name), { recursive: true, encoding: "utf8" }).map((file) => join(name, file)),
      )
      .filter((file) => /(?<!\.test)\.ts$/.test(file) && !file.includes("node_modules"));
    const bare = files.filter((file) => /\bType\.Record\(/.test(readFileSync(join(ROOT, file), "utf8")));
    assert.deepEqual(bare, [HELPER]);
  });
});
