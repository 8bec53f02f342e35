// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { ProxyNode } from "../../api/pilot-service.ts";
import {
  knownAfter,
  type KnownVersions,
  NOTHING_KNOWN,
  type TrafficUpdate,
} from "../../core/traffic/resources/resource-set.ts";
import { createCollectingLogger } from "../../plugins/sdk/testing/logger.ts";
import { createVirtualTime } from "../../plugins/sdk/testing/time.ts";
import { istioDocument, trafficDocuments } from "../../test/support/traffic-documents.ts";
import { createPilot } from "../pilot.ts";

const CART = istioDocument(
  "ServiceEntry",
  { name: "cart" },
  {
    hosts: ["cart"],
    location: "MESH_INTERNAL",
    resolution: "STATIC",
    ports: [{ number: 80, name: "http", protocol: "HTTP", targetPort: 15006 }],
    endpoints: [{ address: "127.0.0.1", labels: { "purser.dev/sidecar": "true" } }],
  },
);

const MODES = ["NONE", "DISABLE", "PERMISSIVE", "STRICT"] as const;

const textOf = (mode: (typeof MODES)[number]): string =>
  mode === "NONE"
    ? CART
    : `${CART}${JSON.stringify({
        apiVersion: "security.istio.io/v1",
        kind: "PeerAuthentication",
        metadata: { name: "default", namespace: "istio-system" },
        spec: { mtls: { mode } },
      })}\n`;

const DOCUMENTS = new Map(MODES.map((mode) => [mode, trafficDocuments(textOf(mode))] as const));

const nodeOf = (id: string): ProxyNode => ({
  role: "sidecar",
  id,
  host: "127.0.0.1",
  service: "cart",
  outboundPort: 15001,
  inbound: { port: 15006, appHost: "127.0.0.1", appPort: 8080 },
  mtls: true,
});

function start(graceMs?: number) {
  const time = createVirtualTime();
  const logger = createCollectingLogger();
  const steps = {
    clock: time.clock,
    scheduler: time.scheduler,
    ...(graceMs === undefined ? {} : { graceMs }),
  };
  const pilot = createPilot({ logger, steps });
  let version = 0;
  const write = (mode: (typeof MODES)[number]): void => {
    const traffic = DOCUMENTS.get(mode);
    assert.ok(traffic !== undefined);
    pilot.update({ version: String(++version), traffic });
  };
  return { time, logger, pilot, write };
}

type Started = ReturnType<typeof start>;

/** A proxy over HTTP: each update ends its poll; the next one tells what it has. */
class PollingProxy {
  readonly #started: Started;
  readonly #node: ProxyNode;
  readonly #pollMs: () => number;
  readonly #applyMs: () => number;
  #received: TrafficUpdate = {};
  #known: KnownVersions = NOTHING_KNOWN;
  /** The configuration in force. */
  applied: TrafficUpdate = {};

  constructor(started: Started, id: string, pollMs: () => number, applyMs: () => number) {
    this.#started = started;
    this.#node = nodeOf(id);
    this.#pollMs = pollMs;
    this.#applyMs = applyMs;
    this.#poll();
  }

  #poll(): void {
    const { pilot, time } = this.#started;
    let isOver = false;
    const stop = pilot.watch({ node: this.#node, known: this.#known }, (update) => {
      if (isOver) return;
      isOver = true;
      this.#received = { ...this.#received, ...update };
      this.#known = knownAfter(this.#known, update);
      const received = this.#received;
      time.scheduler.after(0, () => stop());
      time.scheduler.after(this.#applyMs(), () => {
        // A slow application of an older update does not undo a newer one.
        if (this.#received === received) this.applied = received;
      });
      time.scheduler.after(this.#pollMs(), () => this.#poll());
    });
  }

  /** By which it calls cart. */
  get speaksTls(): boolean | undefined {
    const assigned = this.applied.endpoints?.resources.find(({ name }) => name.startsWith("outbound"));
    return assigned === undefined ? undefined : assigned.endpoints[0]?.tls !== undefined;
  }

  get mode(): string | undefined {
    const inbound = this.applied.listeners?.resources.find(({ name }) => name === "inbound");
    return inbound === undefined ? undefined : (inbound.peerTls?.mode ?? "disable");
  }

  accepts(tls: boolean): boolean {
    return this.mode === undefined || this.mode === "permissive" || (this.mode === "strict") === tls;
  }
}

function assertAllAccepted(proxies: readonly PollingProxy[]): void {
  for (const caller of proxies)
    for (const called of proxies)
      if (caller.speaksTls !== undefined)
        assert.ok(called.accepts(caller.speaksTls), `TLS: ${caller.speaksTls}, to ${called.mode}`);
}

describe("a change of mutual TLS", () => {
  it("comes to servers first, to callers next, and to servers last", () => {
    const started = start();
    const { pilot, time, write } = started;
    write("DISABLE");
    const proxy = new PollingProxy(
      started,
      "a",
      () => 25,
      () => 5,
    );
    const state = () => [pilot.peerTls.step, proxy.mode, proxy.speaksTls];
    time.advance(5_000);
    assert.deepEqual(state(), ["none", "disable", false]);
    write("STRICT");
    time.advance(500);
    assert.deepEqual(state(), ["open", "permissive", false]);
    time.advance(1_500);
    assert.deepEqual(state(), ["switch", "permissive", true]);
    time.advance(1_500);
    assert.deepEqual(state(), ["none", "strict", true]);
    write("NONE");
    time.advance(500);
    assert.deepEqual(state(), ["open", "permissive", true]);
    time.advance(1_500);
    assert.deepEqual(state(), ["switch", "permissive", false]);
    time.advance(1_500);
    assert.deepEqual(state(), ["none", "disable", false]);
    assert.equal(pilot.peerTls.graceEndsTotal, 0);
    assert.equal(time.scheduled, 0);
  });

  it("is in force at once when pilot starts with it", () => {
    const started = start();
    started.write("STRICT");
    assert.equal(started.pilot.peerTls.step, "none");
    const proxy = new PollingProxy(
      started,
      "a",
      () => 25,
      () => 5,
    );
    started.time.advance(50);
    assert.deepEqual([proxy.mode, proxy.speaksTls], ["strict", true]);
  });

  it("waits for a proxy that does not answer, for the grace time, and says so", () => {
    const started = start(10_000);
    const { pilot, time, write, logger } = started;
    write("PERMISSIVE");
    let pollMs = 25;
    new PollingProxy(
      started,
      "slow",
      () => pollMs,
      () => 5,
    );
    const other = new PollingProxy(
      started,
      "other",
      () => 25,
      () => 5,
    );
    time.advance(1_000);
    pollMs = 1_000_000;
    // Any other change makes the proxy's poll end.
    pilot.update({
      version: "x",
      traffic: {
        ...trafficDocuments(textOf("PERMISSIVE")),
        limits: { ...trafficDocuments("").limits, maxConnections: 7 },
      },
    });
    write("STRICT");
    time.advance(9_000);
    assert.equal(other.mode, "permissive");
    time.advance(12_000);
    assert.equal(other.mode, "strict");
    assert.equal(pilot.peerTls.graceEndsTotal, 2);
    assert.match(JSON.stringify(logger.lines), /grace time.*slow/);
  });

  it("takes a proxy in the same process to have an update after 2 s", () => {
    const { pilot, time, write } = start();
    write("PERMISSIVE");
    const modes: unknown[] = [];
    pilot.watch({ node: nodeOf("here"), known: NOTHING_KNOWN }, ({ listeners }) => {
      if (listeners !== undefined)
        modes.push(listeners.resources.find(({ name }) => name === "inbound")?.peerTls?.mode);
    });
    write("STRICT");
    time.advance(10_000);
    assert.deepEqual(modes, ["permissive", "strict"]);
  });

  it("forgets a proxy that has left for a minute", () => {
    const { pilot, time, write } = start(600_000);
    write("PERMISSIVE");
    const stop = pilot.watch({ node: nodeOf("gone"), known: NOTHING_KNOWN }, () => {});
    stop();
    write("STRICT");
    time.advance(50_000);
    assert.equal(pilot.peerTls.step, "open");
    time.advance(20_000);
    assert.equal(pilot.peerTls.step, "none");
  });

  it("refuses no call in any order of changes, for proxies that answer within the grace time", () => {
    const change = fc.record({
      mode: fc.constantFrom(...MODES),
      afterMs: fc.integer({ min: 0, max: 9_000 }),
    });
    const delays = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 8 });
    const applying = fc.array(fc.integer({ min: 0, max: 990 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 8 }),
        fc.array(fc.tuple(delays, applying), { minLength: 1, maxLength: 4 }),
        (changes, timings) => {
          const started = start();
          const { time, write, pilot } = started;
          write("NONE");
          const proxies = timings.map(([pollMs, applyMs], index) => {
            let turn = 0;
            // The update is in force before the poll after the next one, and 1 s after its own at the latest.
            const next = (values: readonly number[]): number => values[turn++ % values.length] ?? 0;
            return new PollingProxy(
              started,
              String(index),
              () => 25 + next(pollMs),
              () => next(applyMs),
            );
          });
          time.advance(1_000);
          const check = (durationMs: number): void => {
            for (let passed = 0; passed < durationMs; passed += 100) {
              time.advance(100);
              assertAllAccepted(proxies);
            }
          };
          for (const { mode, afterMs } of changes) {
            write(mode);
            check(afterMs);
          }
          check(200_000);
          assert.equal(pilot.peerTls.step, "none");
          assert.equal(pilot.peerTls.graceEndsTotal, 0);
          const last = changes.at(-1)?.mode;
          const wanted = last === "STRICT" ? "strict" : last === "PERMISSIVE" ? "permissive" : "disable";
          for (const { mode } of proxies) assert.equal(mode, wanted);
        },
      ),
      { numRuns: 60 },
    );
  });
});
