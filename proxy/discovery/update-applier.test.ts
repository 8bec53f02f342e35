// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  RESOURCE_TYPES,
  type ResourceType,
  type TrafficResources,
} from "../../core/traffic/resources/resource-set.ts";
import {
  clusterOf,
  configOf,
  endpointAt,
  RecordingLogger,
  routeOf,
  runtime,
  NO_CREDENTIALS,
} from "../testing/harness.test.ts";
import { SnapshotBuilder } from "../snapshot/snapshot-builder.ts";
import { HTTP_TRANSPORT } from "../transport/http-transport.ts";
import type { ProxySnapshot } from "../snapshot/snapshot.ts";
import { UpdateApplier } from "./update-applier.ts";

const answering = (status: number) =>
  routeOf({ kind: "direct", status, body: "", contentType: "text/plain" });

const stateAt = (number: number): TrafficResources =>
  configOf({ clusters: [clusterOf([endpointAt(8000 + number)])], routes: [answering(200 + number)] });

const STATES: readonly TrafficResources[] = [0, 1, 2, 3].map(stateAt);

const UNUSABLE = configOf({
  clusters: [clusterOf([endpointAt(9000)])],
  routes: [
    {
      ...answering(200),
      matches: [
        {
          path: { kind: "regex", value: "(" },
          ignoreCase: false,
          headers: {},
          withoutHeaders: {},
          queryParams: {},
        },
      ],
    },
  ],
});

/** An applier with listeners whose duration the test controls. */
class Bench {
  readonly builder = new SnapshotBuilder(HTTP_TRANSPORT, NO_CREDENTIALS, runtime);
  /** The snapshots that the listeners got, in order. */
  readonly applied: ProxySnapshot[] = [];
  readonly results: ("accepted" | "rejected")[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly applier = new UpdateApplier({
    snapshots: this.builder,
    listeners: {
      addresses: () => [],
      update: (snapshot) => {
        this.applied.push(snapshot);
        return new Promise((resolve) => this.#waiting.push(() => resolve([])));
      },
    },
    stats: { countUpdate: (result) => void this.results.push(result) },
    logger: new RecordingLogger(),
    drainMs: 0,
    onApplied: () => undefined,
  });

  /** Ends the listeners' current update, if any. */
  async settle(): Promise<void> {
    this.#waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async settleAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.settle();
  }
}

describe("pilot's updates", () => {
  it("are applied when each type has arrived, whatever their order", async () => {
    const bench = new Bench();
    const [state] = STATES as [TrafficResources];
    for (const type of ["routes", "listeners", "endpoints"] as const)
      bench.applier.receive({ [type]: state[type] });
    assert.equal(bench.applied.length, 0);
    bench.applier.receive({ clusters: state.clusters });
    assert.deepEqual(bench.applied[0]?.resources, state);
    await bench.builder.destroy();
  });

  it("end in the newest set of each type, whatever arrives in between and during an update", async () => {
    const step = fc.record({
      type: fc.constantFrom<ResourceType>(...RESOURCE_TYPES),
      state: fc.nat(STATES.length - 1),
      settles: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const bench = new Bench();
        let expected = STATES[0] as TrafficResources;
        bench.applier.receive(expected);
        for (const { type, state, settles } of steps) {
          const set = (STATES[state] as TrafficResources)[type];
          expected = { ...expected, [type]: set };
          bench.applier.receive({ [type]: set });
          if (settles) await bench.settle();
        }
        await bench.settleAll();
        assert.deepEqual(bench.applier.snapshot?.resources, expected);
        assert.equal(bench.applier.snapshot, bench.applied.at(-1));
        await bench.builder.destroy();
      }),
      { numRuns: 60 },
    );
  });

  it("that are invalid change nothing, and block later ones until they are fixed", async () => {
    const bench = new Bench();
    const [first, second, third] = STATES as [TrafficResources, TrafficResources, TrafficResources];
    bench.applier.receive(first);
    await bench.settle();
    bench.applier.receive({ routes: UNUSABLE.routes, endpoints: second.endpoints });
    await bench.settle();
    assert.deepEqual(bench.applier.snapshot?.resources, first);
    bench.applier.receive({ routes: third.routes });
    await bench.settle();
    assert.deepEqual(bench.applier.snapshot?.resources, {
      ...first,
      endpoints: second.endpoints,
      routes: third.routes,
    });
    assert.deepEqual(bench.results, ["accepted", "rejected", "accepted"]);
    await bench.builder.destroy();
  });

  it("are ignored after `stop`", async () => {
    const bench = new Bench();
    bench.applier.stop();
    bench.applier.receive(STATES[0] as TrafficResources);
    assert.equal(bench.applier.snapshot, undefined);
    await bench.builder.destroy();
  });
});
