// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ProxyNode } from "../api/pilot.ts";
import { isPurserError } from "../kernel/errors.ts";
import type { ProxyConfig } from "../core/traffic/resources/resource-set.ts";
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

function watchedVersions(pilot: ReturnType<typeof createPilot>, node: ProxyNode) {
  const versions: string[] = [];
  const stop = pilot.watch(node, (config: ProxyConfig) => versions.push(config.version));
  return { versions, stop };
}

describe("pilot", () => {
  it("tells a watcher what is in force at once, and when there is nothing yet, as soon as there is", () => {
    const pilot = createPilot({ logger: createCollectingLogger() });
    const early = watchedVersions(pilot, EDGE);
    assert.deepEqual(early.versions, []);
    pilot.update(snapshot("1"));
    const late = watchedVersions(pilot, EDGE);
    assert.equal(early.versions.length, 1);
    assert.deepEqual(late.versions, early.versions);
  });

  it("tells only the proxies whose own configuration changes", () => {
    const pilot = createPilot({ logger: createCollectingLogger() });
    pilot.update(snapshot("1"));
    const edge = watchedVersions(pilot, EDGE);
    const sidecar = watchedVersions(pilot, SIDECAR);
    pilot.update(snapshot("2", BOOKSHOP.replace("User-agent: *", "User-agent: none")));
    assert.equal(edge.versions.length, 2);
    assert.equal(sidecar.versions.length, 1);
    pilot.update(snapshot("3", BOOKSHOP.replace("User-agent: *", "User-agent: none")));
    assert.equal(edge.versions.length, 2);
  });

  it("tells nothing to one that has stopped, however often it stops", () => {
    const pilot = createPilot({ logger: createCollectingLogger() });
    const { versions, stop } = watchedVersions(pilot, EDGE);
    stop();
    stop();
    pilot.update(snapshot("1"));
    assert.deepEqual(versions, []);
    assert.equal(pilot.watcherCount, 0);
  });

  it("goes on to the others when one watcher fails, and says so", () => {
    const logger = createCollectingLogger();
    const pilot = createPilot({ logger });
    pilot.watch(EDGE, () => {
      throw new Error("broken");
    });
    const { versions } = watchedVersions(pilot, SIDECAR);
    pilot.update(snapshot("1"));
    assert.equal(versions.length, 1);
    assert.match(JSON.stringify(logger.lines), /a watcher of proxy configuration failed.*broken/);
  });

  it("gives proxies that differ by nothing but their id one and the same configuration", () => {
    const pilot = createPilot({ logger: createCollectingLogger() });
    pilot.update(snapshot("1"));
    const configs: ProxyConfig[] = [];
    for (const id of ["a", "b"]) pilot.watch({ ...EDGE, id }, (config) => configs.push(config));
    assert.equal(configs[0], configs[1]);
  });

  it("refuses more watchers than it may have", () => {
    const pilot = createPilot({ logger: createCollectingLogger(), maxWatchers: 1 });
    const { stop } = watchedVersions(pilot, EDGE);
    assert.throws(
      () => watchedVersions(pilot, EDGE),
      (error) => isPurserError(error) && error.code === "PURSER_OVERLOADED",
    );
    stop();
    assert.doesNotThrow(() => watchedVersions(pilot, EDGE));
  });
});
