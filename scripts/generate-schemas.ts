// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes schemas/ from the kinds of documents and the decision log; with --check, writes nothing and fails
// when a file differs.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DECISION_LOG_LINE } from "../core/replay/log-line.ts";
import { DIALECT, jsonSchemas } from "../core/documents/schema/json-schema.ts";

const folder = new URL("../schemas/", import.meta.url);
const check = process.argv.includes("--check");
const expected = new Map<string, string>();
for (const [name, schema] of jsonSchemas()) expected.set(name, `${JSON.stringify(schema, undefined, 2)}\n`);

expected.set(
  "decision-log-line.schema.json",
  `${JSON.stringify({ $schema: DIALECT, title: "A line of a decision log", ...DECISION_LOG_LINE }, undefined, 2)}\n`,
);

mkdirSync(folder, { recursive: true });
const present = new Set<string>(readdirSync(folder).filter((name) => name.endsWith(".schema.json")));
const stale = [...present].filter((name) => !expected.has(name));
const different = [...expected].filter(
  ([name, text]) => !present.has(name) || readFileSync(new URL(name, folder), "utf8") !== text,
);

if (check) {
  for (const name of [...stale, ...different.map(([name]) => name)]) {
    process.stderr.write(`schemas/${name} differs from the kinds: run npx tsx scripts/generate-schemas.ts\n`);
    process.exitCode = 1;
  }
} else {
  for (const name of stale) rmSync(new URL(name, folder));
  for (const [name, text] of different) writeFileSync(new URL(name, folder), text);
  process.stdout.write(`${fileURLToPath(folder)}: ${different.length} written, ${stale.length} removed\n`);
}
