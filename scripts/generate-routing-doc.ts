// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes the tables of fields in docs/reference/routing.md from the kinds' schemas and scripts/routing-notes.yaml; the text around them
// is written by hand. With --check, fails when a table in the committed file differs.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { KINDS } from "../core/documents/catalog.ts";
import { type FieldSchema, fieldTable, type Notes } from "./routing-tables.ts";
import { writeOrCheck } from "./write-or-check.ts";

const PAGE = "docs/reference/routing.md";
const TABLE = /^\| field \|.*\n(?:\|.*\n)+/m;

const notes = parse(readFileSync(new URL("routing-notes.yaml", import.meta.url), "utf8")) as Readonly<
  Record<string, Notes>
>;
const sections = readFileSync(new URL(`../${PAGE}`, import.meta.url), "utf8").split(/^(?=##+ )/m);
const text = sections
  .map((section) => {
    const kind = KINDS.find(
      (each) => section.startsWith(`## ${each.kind}\n`) || section.startsWith(`### ${each.kind}\n`),
    );
    if (kind === undefined) return section;
    if (!TABLE.test(section)) throw new Error(`The section ${kind.kind} of ${PAGE} has no table of fields`);
    const table = fieldTable(kind.kind, kind.spec as FieldSchema, notes[kind.kind] ?? {});
    return section.replace(TABLE, () => table);
  })
  .join("");
writeOrCheck(PAGE, text);
