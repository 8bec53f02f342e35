// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ERROR_CATALOG } from "../../kernel/error-catalog.ts";

// The catalog, the documentation and the code name the same errors.

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ROOMS = [
  "api",
  "adapters",
  "cli",
  "config",
  "core",
  "delivery",
  "examples",
  "expressions",
  "kernel",
  "mixer",
  "pilot",
  "identity",
  "plugins",
  "proxy",
  "server",
  "tools",
];
const CODE = /\bPURSER_[A-Z]+(?:_[A-Z]+)*\b/g;
/** Environment variables and constants that look like error codes. */
const VARIABLES = /^PURSER_(TEST_.*|LOG_.*|API_VERSION)$/;

const filesIn = (folder: string, ending: RegExp): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => ending.test(file) && !file.includes("node_modules"))
    .map((file) => join(ROOT, folder, file));

const codesIn = (files: readonly string[]): Map<string, string> =>
  new Map(
    files
      .flatMap((file) =>
        [...readFileSync(file, "utf8").matchAll(CODE)].map(([code]) => [code, file] as const),
      )
      .filter(([code]) => !VARIABLES.test(code)),
  );

describe("the list of error codes", () => {
  const catalog = new Set<string>(Object.keys(ERROR_CATALOG));
  const source = ROOMS.flatMap((room) => filesIn(room, /(?<!\.test)\.ts$/)).filter(
    (file) => !file.endsWith("error-catalog.ts"),
  );

  it("has no code that the program never uses", () => {
    const used = codesIn(source);
    assert.deepEqual(
      [...catalog].filter((code) => !used.has(code)),
      [],
    );
  });

  it("has every code that the program uses", () => {
    assert.deepEqual(
      [...codesIn(source)].filter(([code]) => !catalog.has(code)),
      [],
    );
  });

  it("has every code that the documentation and the tests name", () => {
    const spoken = codesIn([
      ...filesIn("docs", /\.md$/),
      ...filesIn("test", /\.ts$/),
      ...ROOMS.flatMap((room) => filesIn(room, /\.(test\.ts|md|golden)$/)),
    ]);
    assert.deepEqual(
      [...spoken].filter(([code]) => !catalog.has(code)),
      [],
    );
  });

  it("is documented in full: each code with its meaning and its remedy", () => {
    const page = readFileSync(join(ROOT, "docs/reference/errors.md"), "utf8");
    for (const [code, { summary, remedy }] of Object.entries(ERROR_CATALOG)) {
      const section = page.split(`### ${code}\n`)[1]?.split("\n### ")[0] ?? "";
      assert.ok(section.includes(summary) && section.includes(remedy), code);
    }
  });

  it("has whole sentences for meanings and remedies", () => {
    for (const [code, { summary, remedy }] of Object.entries(ERROR_CATALOG)) {
      assert.match(summary, /^[A-Z].*\.$/, code);
      assert.match(remedy, /^[A-Z].*\.$/, code);
    }
  });
});
