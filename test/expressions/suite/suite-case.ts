// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One case in the form of the JSONata test suite (its TESTSUITE.md). */
export interface SuiteCase {
  readonly expr?: string;
  /** Name of a file beside the case with the expression, if `expr` is absent. */
  readonly "expr-file"?: string;
  readonly data?: unknown;
  /** Name of an input in `datasets/`; null for no input. */
  readonly dataset?: string | null;
  readonly bindings?: Readonly<Record<string, unknown>>;
  /** Time limit in milliseconds. */
  readonly timelimit?: number;
  readonly depth?: number;
  readonly result?: unknown;
  readonly undefinedResult?: boolean;
  /** Whether the order of the result's array is ignored. */
  readonly unordered?: boolean;
  readonly code?: string;
  readonly token?: string;
  readonly error?: Readonly<Record<string, unknown>>;
}

/** A case with its referenced files loaded. */
export interface ReadyCase {
  /** Name of the case: `group/file` and, in a file of several cases, its index. */
  readonly name: string;
  readonly group: string;
  readonly source: string;
  /** Makes a fresh copy at each call, because an evaluation may change its input. */
  readonly input: () => unknown;
  readonly expected: SuiteCase;
}

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const SUITE_FOLDER = join(ROOT, "../shared/jsonata-suite");
export const OWN_CASES_FOLDER = join(ROOT, "test/expressions/cases");

export const suiteIsPresent = (): boolean => existsSync(join(SUITE_FOLDER, "groups"));

/**
 * The cases of the JSONata suite, of all groups or the named ones.
 * @throws for a group that does not exist.
 */
export function suiteCases(groups: readonly string[] = suiteGroups()): ReadyCase[] {
  return groups.flatMap((group) => casesUnder(join(SUITE_FOLDER, "groups", group), group));
}

export function suiteGroups(): string[] {
  return readdirSync(join(SUITE_FOLDER, "groups")).toSorted();
}

/** Our own cases, in the suite's form: one group for each file. */
export function ownCases(): ReadyCase[] {
  return jsonFiles(OWN_CASES_FOLDER).flatMap((file) => casesInFile(file, basename(file, ".json")));
}

function casesUnder(folder: string, group: string): ReadyCase[] {
  return jsonFiles(folder).flatMap((file) => casesInFile(file, group));
}

function jsonFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .map((name) => join(folder, name));
}

function casesInFile(file: string, group: string): ReadyCase[] {
  const content = JSON.parse(readFileSync(file, "utf8")) as SuiteCase | SuiteCase[];
  const cases = Array.isArray(content) ? content : [content];
  return cases.map((expected, index) => ({
    name: `${group}/${basename(file)}${Array.isArray(content) ? `[${index}]` : ""}`,
    group,
    source: sourceOf(expected, dirname(file)),
    input: inputOf(expected),
    expected,
  }));
}

function sourceOf(expected: SuiteCase, folder: string): string {
  if (expected.expr !== undefined) return expected.expr;
  const file = expected["expr-file"];
  if (file === undefined) throw new Error(`a case in ${folder} has neither expr nor expr-file`);
  return readFileSync(join(folder, file), "utf8");
}

function inputOf({ data, dataset }: SuiteCase): () => unknown {
  if (data !== undefined) return () => structuredClone(data);
  if (dataset === null || dataset === undefined) return () => undefined;
  const text = readFileSync(join(SUITE_FOLDER, "datasets", `${dataset}.json`), "utf8");
  return () => JSON.parse(text) as unknown;
}

/** Items by group, in the order in which the groups first appear. */
export function byGroup<T>(items: readonly T[], groupOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(groupOf(item));
    if (group === undefined) groups.set(groupOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
