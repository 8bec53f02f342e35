// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ConfigSource } from "../../config/config-source.ts";
import type { Diagnostic } from "../../kernel/diagnostic.ts";
import type { Snapshot } from "../../core/snapshot/snapshot.ts";
import { createCollectingLogger } from "../../plugins/sdk/testing/index.ts";
import { followConfig } from "./part-config.ts";

const set = (version: string): Snapshot => ({ version, documents: [] }) as unknown as Snapshot;
const FAULT: Diagnostic = {
  severity: "error",
  code: "PURSER_HANDLER_BUILD",
  location: { file: "a.yaml", line: 1, column: 1 },
  message: "no",
};

function follow(take: (snapshot: Snapshot) => Promise<readonly Diagnostic[]>) {
  const listeners = new Set<(snapshot: Snapshot) => void>();
  const rejected = new Set<(diagnostics: readonly Diagnostic[]) => void>();
  const source = {
    subscribe(listener: (snapshot: Snapshot) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onRejected(listener: (diagnostics: readonly Diagnostic[]) => void) {
      rejected.add(listener);
      return () => rejected.delete(listener);
    },
  } as unknown as ConfigSource;
  const logger = createCollectingLogger();
  const refusals: number[] = [];
  const part = followConfig(source, take, (diagnostics) => refusals.push(diagnostics.length), { logger });
  const publish = async (version: string): Promise<void> => {
    for (const listener of listeners) listener(set(version));
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { part, logger, refusals, publish, listeners, rejected };
}

describe("following the configuration", () => {
  it("survives an error while a set is put in force, and continues with the next set", async () => {
    const taken: string[] = [];
    const faults: (() => Promise<readonly Diagnostic[]>)[] = [
      () => Promise.reject(new Error("draining")),
      () => {
        throw new Error("bug");
      },
      () => Promise.reject(undefined as unknown as Error),
      () => Promise.resolve([FAULT]),
    ];
    const { publish, logger, refusals } = follow((snapshot) => {
      taken.push(snapshot.version);
      return faults.shift()?.() ?? Promise.resolve([]);
    });
    for (const version of ["1", "2", "3", "4", "5"]) await publish(version);
    assert.deepEqual(taken, ["1", "2", "3", "4", "5"]);
    assert.deepEqual(refusals, [1]);
    const message = "a new configuration could not be put in force; the last good one stays in force";
    assert.deepEqual(
      logger.lines.filter((line) => line.message === message).map(({ fields }) => fields["error"]),
      ["draining", "bug", "undefined"],
    );
    assert.equal(logger.lines.at(-1)?.message, "a new configuration is in force");
  });

  it("passes on no set after it was stopped, not even a waiting one", async () => {
    const taken: string[] = [];
    let finish: () => void = () => {};
    const { publish, part, listeners, rejected } = follow((snapshot) => {
      taken.push(snapshot.version);
      return new Promise((resolve) => (finish = () => resolve([])));
    });
    await publish("under way");
    await publish("waits");
    await part.close(100);
    finish();
    await publish("late");
    assert.deepEqual([taken, listeners.size, rejected.size], [["under way"], 0, 0]);
  });
});
