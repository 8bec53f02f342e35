// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  createCollectingLogger,
  createMemoryFiles,
  createSeededRandom,
  createVirtualTime,
} from "../plugins/sdk/testing/index.ts";
import {
  adapterDeclaration,
  metric,
  pluginDeclaration,
  rule,
  snapshotOf,
} from "../test/support/snapshots.ts";
import { DEFAULT_DELIVERY } from "../core/snapshot/build-handlers.ts";
import type { SpoolFiles } from "../delivery/spool/spool-files.ts";
import { createHttpClient } from "../plugins/sdk/http/client.ts";
import { FakeDisk } from "../test/support/fake-disk.ts";
import { createMixer } from "./mixer.ts";

const hangs = (): Promise<never> => new Promise(() => {});
const DELIVERY = {
  ...DEFAULT_DELIVERY,
  batchSize: 1,
  lingerMs: 1,
  queueSize: 10,
  attempts: 9,
  timeoutMs: 60_000,
};

/** A disk that holds a spool, and on which no write ever ends, such as a network file system whose server is away. */
function hangingDisk(): SpoolFiles {
  const files = new FakeDisk(createSeededRandom()).connect();
  return { ...files, append: hangs, replace: hangs, close: hangs };
}

function setUp() {
  const time = createVirtualTime();
  const logger = createCollectingLogger();
  const mixer = createMixer({
    ...time,
    random: createSeededRandom(),
    logger,
    files: () => createMemoryFiles(),
    http: () => createHttpClient(time.clock),
    spoolFiles: () => hangingDisk(),
    buildInThread: () => assert.fail("no thread here"),
  });
  /** Closes the mixer and returns how long it took, at most the time for which the test waits. */
  const close = async (deadlineMs: number): Promise<number> => {
    const startMs = time.clock.monotonicMs();
    let tookMs = Number.POSITIVE_INFINITY;
    void mixer.close(deadlineMs).then(() => (tookMs = time.clock.monotonicMs() - startMs));
    await time.advanceAndSettle(30_000);
    return tookMs;
  };
  return { time, mixer, close };
}

/** Handlers that delay the close, each in its own way; `with` is the work of the mixer that needs them. */
const STUBBORN = {
  "a backend that takes no telemetry": adapterDeclaration(
    "h",
    { metric: hangs, close() {} },
    { delivery: DELIVERY },
  ),
  "a backend that refuses for now": adapterDeclaration(
    "h",
    {
      metric: () =>
        Promise.reject(
          Object.assign(new Error("later"), {
            name: "PurserError",
            code: "PURSER_HANDLER_FAILED",
            retryable: true,
          }),
        ),
      close() {},
    },
    { delivery: DELIVERY },
  ),
  "a spool whose disk hangs": adapterDeclaration(
    "h",
    { metric() {}, close() {} },
    {
      delivery: {
        ...DELIVERY,
        class: "at-least-once",
        spool: { directory: "spool", maxBytes: 1_000_000, fsync: "always", onDiskFailure: "memory" },
      },
    },
  ),
  "a handler that never closes": adapterDeclaration("h", { metric() {}, close: hangs }),
  "a check that is never answered": adapterDeclaration(
    "h",
    { checknothing: hangs, metric() {}, close() {} },
    { delivery: DELIVERY },
  ),
  "a plugin that never takes a report": pluginDeclaration(
    "h",
    () => ({ apply: (hooks) => hooks.reported.tapPromise("h", hangs), close: hangs }),
    { delivery: DELIVERY },
  ),
};

describe("stopping a mixer", () => {
  for (const [what, handler] of Object.entries(STUBBORN)) {
    for (const replaced of [false, true]) {
      it(`keeps its deadline with ${what}${replaced ? ", replaced just before" : ""}`, async () => {
        const { time, mixer, close } = setUp();
        const documents =
          handler.definition.extension === "adapter" ? { metrics: [metric("m", { handlers: ["h"] })] } : {};
        await mixer.apply(
          snapshotOf({
            handlers: [handler],
            ...documents,
            ...(what.includes("check") ? { rules: [rule("r", "h")] } : {}),
          }),
        );
        void mixer.report({ bags: [{}, {}, {}] });
        if (what.includes("check")) void mixer.check({ attributes: {}, deduplicationId: "1" });
        await time.advanceAndSettle(10);
        if (replaced) {
          await mixer.apply(snapshotOf({ version: "v2" }));
          await time.advanceAndSettle(10);
        }
        assert.ok((await close(800)) <= 800);
        assert.equal((await close(800)) <= 800, true);
      });
    }
  }
});
