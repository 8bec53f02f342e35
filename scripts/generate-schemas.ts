// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes schemas/ from the kinds of documents, the bundled extensions and the decision log; with --check, writes nothing and
// fails when a file differs.
import { readdirSync, rmSync } from "node:fs";
import { BUNDLED_ADAPTERS } from "../adapters/inventory.ts";
import { DECISION_LOG_LINE } from "../core/replay/log-line.ts";
import { DIALECT, documentsSchema } from "../core/documents/schema/json-schema.ts";
import type { JsonSchema } from "../core/documents/schema/plain-schema.ts";
import { BUNDLED_PLUGINS } from "../plugins/inventory.ts";
import { writeOrCheck } from "./write-or-check.ts";

const FILES = new Map<string, JsonSchema>([
  [
    "purser.schema.json",
    documentsSchema({
      adapters: new Map(BUNDLED_ADAPTERS.map((each) => [each.name, each])),
      plugins: new Map(BUNDLED_PLUGINS.map((each) => [each.name, each])),
    }),
  ],
  [
    "decision-log-line.schema.json",
    { $schema: DIALECT, title: "A line of a decision log", ...DECISION_LOG_LINE },
  ],
]);

/** Two levels on lines of their own: small for the package, and a change is a changed line. */
function textOf(schema: JsonSchema): string {
  return `${lines(schema, 2)}\n`;
}

function lines(value: unknown, levels: number): string {
  if (levels === 0 || typeof value !== "object" || value === null || Array.isArray(value))
    return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([name, each]) => `${JSON.stringify(name)}:${lines(each, levels - 1)}`,
  );
  return `{\n${fields.join(",\n")}\n}`;
}

const folder = new URL("../schemas/", import.meta.url);
const stale = readdirSync(folder).filter((name) => name.endsWith(".schema.json") && !FILES.has(name));
for (const name of stale) {
  if (process.argv.includes("--check")) {
    process.stderr.write(`schemas/${name} is no file of npm run generated: remove it\n`);
    process.exitCode = 1;
  } else rmSync(new URL(name, folder));
}
for (const [name, schema] of FILES) writeOrCheck(`schemas/${name}`, textOf(schema));
