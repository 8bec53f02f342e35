// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { followLastingResources } from "./lasting-resources.ts";

/**
 * A clause of a contract suite: a plain function that returns the failures it found, so that the clauses can
 * be tested with extensions that break them, and any test runner can run them.
 */
export interface ContractClause<Subject> {
  /** Continues "the contract of X: it …". */
  readonly name: string;
  /** Failures, a sentence each; empty when the clause holds. */
  check(subject: Subject): Promise<readonly string[]>;
}

export interface ContractFinding {
  readonly clause: string;
  readonly failures: readonly string[];
}

/** The part of a test runner that the suites use: mocha's globals, or node:test's functions. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

/** The global `describe` and `it`. */
export function globalRunner(): TestRunner {
  const { describe, it } = globalThis as Partial<TestRunner>;
  if (describe === undefined || it === undefined) {
    throw new TypeError("there is no global describe and it: pass a runner, or run this file with mocha");
  }
  return { describe, it };
}

/** Registers one test for each clause. */
export function describeClauses<Subject>(
  title: string,
  clauses: readonly ContractClause<Subject>[],
  subject: Subject,
  runner: TestRunner,
): void {
  runner.describe(title, () => {
    for (const clause of clauses) {
      runner.it(clause.name, async () => {
        const { failures } = await runClause(clause, subject);
        if (failures.length > 0) throw new Error(failures.join("\n"));
      });
    }
  });
}

/**
 * Runs one clause; errors that it throws, or that escape every promise, are failures of the clause. Timers and sockets that
 * the extension leaves behind do not keep the test process alive.
 */
export async function runClause<Subject>(
  clause: ContractClause<Subject>,
  subject: Subject,
): Promise<ContractFinding> {
  const outOfBand: string[] = [];
  const restore = interceptOutOfBand((error) => outOfBand.push(`threw out of band: ${describeError(error)}`));
  let stopFollowing = (): void => {};
  try {
    // Let the runner start this test's timer first (some do after the body returns), so that it does not
    // count as left behind.
    await new Promise((resolve) => void setImmediate(resolve));
    stopFollowing = followLastingResources();
    const failures = await clause.check(subject).catch((error: unknown) => [describeError(error)]);
    // Unhandled rejections are reported after the turn in which they happen.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => void setImmediate(resolve));
    return { clause: clause.name, failures: [...failures, ...outOfBand] };
  } finally {
    stopFollowing();
    restore();
  }
}

/** Replaces the runner's own handlers, so that an error counts for the clause that is running. */
function interceptOutOfBand(onError: (error: unknown) => void): () => void {
  const restores = (["uncaughtException", "unhandledRejection"] as const).map((event) => {
    const before = process.listeners(event as "uncaughtException");
    process.removeAllListeners(event);
    process.on(event, onError);
    return () => {
      process.off(event, onError);
      for (const listener of before) process.on(event as "uncaughtException", listener);
    };
  });
  return () => {
    for (const restore of restores) restore();
  };
}

export function describeError(error: unknown): string {
  return error instanceof Error
    ? `${error.name}: ${error.message}`
    : `threw ${typeof error}: ${String(error)}`;
}
