// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { dirname, join } from "node:path";
import { planChecks } from "../../core/check/plan.ts";
import type { ParsedDocument } from "../../core/documents/document.ts";
import { displayName } from "../../core/documents/kinds/kind.ts";
import type { PolicyTestSpec } from "../../core/documents/kinds/policy-test.ts";
import { Coverage, type ExpressionCoverage } from "../../core/explain/coverage.ts";
import { createTracer } from "../../core/expressions/jsonata-engine.ts";
import type { SourceLocation } from "../../kernel/diagnostic.ts";
import { expandCases } from "../../core/policy-tests/expand-cases.ts";
import { type CaseResult, runCase, type TestBench } from "../../core/policy-tests/run-case.ts";
import { planReports } from "../../core/report/plan.ts";
import type { Runtime } from "../../kernel/ports.ts";
import type { ReadSnapshot } from "../read-snapshot.ts";

export interface FinishedCase extends CaseResult {
  /** Name of the PolicyTest. */
  readonly test: string;
  readonly name: string;
  readonly location: SourceLocation;
  /** Reason that the case was skipped. */
  readonly skipped?: string;
  readonly durationMs: number;
}

export interface TestRun {
  readonly cases: readonly FinishedCase[];
  /** Coverage of every expression that decides requests, in all sets of documents under test. */
  readonly coverage: readonly ExpressionCoverage[];
}

export interface RunOptions {
  readonly runtime: Runtime;
  readonly readSnapshot: ReadSnapshot;
  /** Whether to run a case, by the names of its test and of the case; default: all. */
  readonly isWanted?: (test: string, name: string) => boolean;
  readonly onProgress?: (finished: number, next: string) => void;
}

/** The runtime that all tests of one set of documents share. */
type Bench = Omit<TestBench, "spec">;

/**
 * Runs the cases one after another.
 * @throws {PurserError} when documents under test have faults.
 */
export async function runTests(tests: readonly ParsedDocument[], options: RunOptions): Promise<TestRun> {
  const { isWanted = () => true, onProgress } = options;
  const benches = new Map<string, Bench>();
  const cases: FinishedCase[] = [];
  for (const document of tests) {
    const spec = document.spec as PolicyTestSpec;
    const test = displayName(document.metadata);
    const wanted = expandCases(spec).filter(({ name }) => isWanted(test, name));
    if (wanted.length === 0) continue;
    const policies = spec.policies.map((path) => join(dirname(document.location.file), path));
    const key = JSON.stringify(policies);
    const bench = benches.get(key) ?? (await newBench(policies, options));
    benches.set(key, bench);
    for (const each of wanted) {
      const { name, path, written } = each;
      onProgress?.(cases.length, `${test} / ${name}`);
      const startMs = options.runtime.clock.monotonicMs();
      const known = { test, name, location: document.places.value(path) };
      const result: CaseResult =
        written.skip === undefined ? await runCase(each, { ...bench, spec }) : { mismatches: [] };
      const durationMs = options.runtime.clock.monotonicMs() - startMs;
      const skipped = written.skip === undefined ? {} : { skipped: written.skip };
      cases.push({ ...known, ...result, ...skipped, durationMs });
    }
  }
  const coverage = [...benches.values()].flatMap((bench) =>
    bench.coverage.report(bench.checkPlan, bench.tracer),
  );
  return { cases, coverage };
}

async function newBench(
  policies: readonly string[],
  { readSnapshot }: Pick<RunOptions, "readSnapshot">,
): Promise<Bench> {
  const snapshot = await readSnapshot(policies);
  return {
    checkPlan: planChecks(snapshot),
    reportPlan: planReports(snapshot),
    pathNormalization: snapshot.traffic.pathNormalization,
    tracer: createTracer(),
    coverage: new Coverage(),
    parseTime: (text) => Date.parse(text),
    quotaPolicies: snapshot.quotaPolicies,
  };
}
