// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ProxyNode } from "../api/pilot-service.ts";
import { isPurserError } from "../kernel/errors.ts";
import {
  knownAfter,
  type KnownVersions,
  NOTHING_KNOWN,
  RESOURCE_TYPES,
  type TrafficUpdate,
} from "../core/traffic/resources/resource-set.ts";
import { createCollectingLogger } from "../plugins/sdk/testing/logger.ts";
import { BOOKSHOP, trafficDocuments } from "../test/support/traffic-documents.ts";
import { createPilot } from "./pilot.ts";

const EDGE: ProxyNode = { role: "edge", id: "edge-1", host: "127.0.0.1", port: 8080, trustedHops: 0 };
const SIDECAR: ProxyNode = {
  role: "sidecar",
  id: "s-1",
  host: "127.0.0.1",
  service: "catalog",
  outboundPort: 15001,
};

const snapshot = (version: string, text = BOOKSHOP) => ({ version, traffic: trafficDocuments(text) });

function watched(
  pilot: ReturnType<typeof createPilot>,
  node: ProxyNode,
  known: KnownVersions = NOTHING_KNOWN,
) {
  const updates: TrafficUpdate[] = [];
  const stop = pilot.watch({ node, known }, (update) => updates.push(update));
  return { updates, stop };
}

describe("pilot", () => {
  it("calls a watcher at once with the current resources, or as soon as there are documents", () => {
    const pilot = createPilot({ logger: createCollectingLogger() });
    const early = watched(pilot, EDGE);
    assert.deepEqual(early.updates, []);
    pilot.update(snapshot("1"));
    const late = watched(pilot, EDGE);
    assert.equal(early.updates.length, 1);
    assert.deepEqual(late.updates, early.updates);
  });

  it("calls only the proxies whose own resources change", () => {
    const pilot = createPilot({ logger: createCollectingLogger() });
    pilot.update(snapshot("1"));
    const edge = watched(pilot, EDGE);
    const sidecar = watched(pilot, SIDECAR);
    pilot.update(snapshot("2", BOOKSHOP.replace("User-agent: *", "User-agent: none")));
    assert.equal(edge.updates.length, 2);
    assert.equal(sidecar.updates.length, 1);
    pilot.update(snapshot("3", BOOKSHOP.replace("User-agent: *", "User-agent: none")));
    assert.equal(edge.updates.length, 2);
  });

  const ENDPOINT_MOVED = BOOKSHOP.replace("ports: { http: 19080 }", "ports: { http: 19081 }");

  it("sends the changed types only", () => {
    const pilot = createPilot({ logger: createCollectingLogger() });
    pilot.update(snapshot("1"));
    const { updates } = watched(pilot, EDGE);
    pilot.update(snapshot("2", ENDPOINT_MOVED));
    pilot.update(snapshot("3", ENDPOINT_MOVED.replace("/robots.txt", "/ads.txt")));
    assert.deepEqual(
      updates.map((update) => Object.keys(update)),
      [[...RESOURCE_TYPES], ["endpoints"], ["routes"]],
    );
  });

  it("calls no watcher for types that it does not watch", () => {
    const pilot = createPilot({ logger: createCollectingLogger() });
    pilot.update(snapshot("1"));
    const { updates } = watched(pilot, EDGE, { listeners: "", routes: "" });
    pilot.update(snapshot("2", ENDPOINT_MOVED));
    assert.deepEqual(
      updates.map((update) => Object.keys(update)),
      [["listeners", "routes"]],
    );
  });

  it("sends a returning watcher the types for which it has an older version", () => {
    const pilot = createPilot({ logger: createCollectingLogger() });
    pilot.update(snapshot("1"));
    const [first = {}] = watched(pilot, EDGE).updates;
    const known = knownAfter(NOTHING_KNOWN, first);
    assert.deepEqual(watched(pilot, EDGE, known).updates, []);
    pilot.update(snapshot("2", ENDPOINT_MOVED));
    assert.deepEqual(
      watched(pilot, EDGE, known).updates.map((update) => Object.keys(update)),
      [["endpoints"]],
    );
  });

  it("gives the same versions as another pilot with the same documents", () => {
    const [a, b] = ["1", "2"].map((version) => {
      const pilot = createPilot({ logger: createCollectingLogger() });
      pilot.update(snapshot(version));
      return [EDGE, SIDECAR].map((node) => knownAfter(NOTHING_KNOWN, watched(pilot, node).updates[0] ?? {}));
    });
    assert.deepEqual(a, b);
    assert.doesNotMatch(JSON.stringify(a), /""/);
  });

  it("calls no stopped watcher, and allows repeated stops", () => {
    const pilot = createPilot({ logger: createCollectingLogger() });
    const { updates, stop } = watched(pilot, EDGE);
    stop();
    stop();
    pilot.update(snapshot("1"));
    assert.deepEqual(updates, []);
    assert.equal(pilot.watcherCount, 0);
  });

  it("calls the other watchers when one throws, and logs it", () => {
    const logger = createCollectingLogger();
    const pilot = createPilot({ logger });
    pilot.watch({ node: EDGE, known: NOTHING_KNOWN }, () => {
      throw new Error("broken");
    });
    const { updates } = watched(pilot, SIDECAR);
    pilot.update(snapshot("1"));
    assert.equal(updates.length, 1);
    assert.match(JSON.stringify(logger.lines), /a watcher of traffic resources failed.*broken/);
  });

  it("shares the sets of proxies that differ only in their id", () => {
    const pilot = createPilot({ logger: createCollectingLogger() });
    pilot.update(snapshot("1"));
    const [a, b] = ["a", "b"].map((id) => watched(pilot, { ...EDGE, id }).updates[0]);
    assert.ok(a !== undefined && b !== undefined);
    for (const type of RESOURCE_TYPES) assert.equal(a[type], b[type]);
  });

  it("refuses watchers beyond its maximum", () => {
    const pilot = createPilot({ logger: createCollectingLogger(), maxWatchers: 1 });
    const { stop } = watched(pilot, EDGE);
    assert.throws(
      () => watched(pilot, EDGE),
      (error) => isPurserError(error) && error.code === "PURSER_OVERLOADED",
    );
    stop();
    assert.doesNotThrow(() => watched(pilot, EDGE));
  });
});
