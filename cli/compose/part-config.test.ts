// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ConfigSource } from "../../config/config-source.ts";
import type { Diagnostic } from "../../kernel/diagnostic.ts";
import type { Snapshot } from "../../core/snapshot/snapshot.ts";
import { createCollectingLogger } from "../../plugins/sdk/testing/index.ts";
import { followConfig } from "./part-config.ts";

const set = (version: string, documents: readonly unknown[] = []): Snapshot =>
  ({ version, documents }) as unknown as Snapshot;
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
  const publish = async (version: string, documents?: readonly unknown[]): Promise<void> => {
    for (const listener of listeners) listener(set(version, documents));
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

  it("says what each set changes to the set in force, and warns when less is refused", async () => {
    const policy = (name: string, spec: object) => {
      const location = { file: "a.yaml", line: 7, column: 1 };
      return { kind: "AccessPolicy", namespace: "default", name, location, spec };
    };
    const refusing: Diagnostic[] = [];
    const { publish, logger } = follow(() => Promise.resolve(refusing.splice(0)));
    const many = Array.from({ length: 60 }, (_, index) => policy(`p${index}`, { action: "DENY" }));
    await publish("1", many);
    refusing.push(FAULT);
    await publish("2", []);
    await publish("3", [policy("p0", { action: "AUDIT" }), ...many.slice(1, 59)]);
    const changes = logger.lines
      .filter(({ message }) => message === "a new configuration is in force")
      .map(({ fields }) => fields["changes"] as readonly string[]);
    assert.deepEqual(
      changes.map((each) => [each.length, each[0], each.at(-1)]),
      [
        [51, "+ AccessPolicy/p0", "and 10 more"],
        [2, "~ AccessPolicy/p0", "- AccessPolicy/p59"],
      ],
    );
    assert.deepEqual(
      logger.lines.filter(({ level }) => level === "warn").map(({ message, fields }) => [message, fields]),
      [
        [
          "less is refused: a document that refuses requests no longer does",
          { document: "~ AccessPolicy/p0", location: "a.yaml:7" },
        ],
        [
          "less is refused: a document that refuses requests is gone",
          { document: "- AccessPolicy/p59", location: "a.yaml:7" },
        ],
      ],
    );
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
