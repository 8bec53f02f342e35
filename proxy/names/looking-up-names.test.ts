// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import { NOTHING_KNOWN, type TrafficUpdate } from "../../core/traffic/resources/resource-set.ts";
import { clusterOf, configOf, endpointAt, RecordingLogger } from "../testing/harness.test.ts";
import { VirtualTime } from "../testing/virtual-time.test.ts";
import { lookingUpNames } from "./looking-up-names.ts";
import type { NameAnswer } from "./name-lookup.ts";

const settle = () => new Promise((resolve) => setImmediate(resolve));

const named = (address: string, lookup: "all" | "first" = "all", more: Partial<Endpoint> = {}): Endpoint =>
  endpointAt(80, { address, lookup, ...more });

describe("pilot with names that the proxy looks up", () => {
  let time: VirtualTime;
  let answers: Record<string, readonly string[] | "failure" | "silence">;
  let asked: string[];
  let received: TrafficUpdate[];
  let send: (update: TrafficUpdate) => void;
  let stop: () => void;

  beforeEach(() => {
    time = new VirtualTime();
    answers = {};
    asked = [];
    received = [];
    const lookUp = async (name: string): Promise<NameAnswer> => {
      asked.push(name);
      const addresses = answers[name] ?? [];
      if (addresses === "silence") return new Promise(() => {});
      if (addresses === "failure") throw new Error("the server failed");
      return { addresses, ttlMs: 10_000 };
    };
    const pilot = {
      watch(_: unknown, listener: (update: TrafficUpdate) => void) {
        send = listener;
        return () => {};
      },
    };
    const runtime = { clock: time, scheduler: time, random: () => 0, logger: new RecordingLogger() };
    const node = { role: "edge", id: "e", host: "127.0.0.1", port: 0, trustedHops: 0 } as const;
    stop = lookingUpNames(pilot, lookUp, runtime).watch({ node, known: NOTHING_KNOWN }, (update) =>
      received.push(update),
    );
  });
  afterEach(() => stop());

  const configWith = (...endpoints: readonly Endpoint[]) => configOf({ clusters: [clusterOf(endpoints)] });

  const endpointsOf = (update: TrafficUpdate | undefined) => update?.endpoints?.resources[0]?.endpoints;
  const addressesOf = (update: TrafficUpdate | undefined) =>
    endpointsOf(update)?.map(({ address }) => address);

  /** Time in which the names are looked up again, and their changes are sent. */
  async function refresh(): Promise<void> {
    for (let seconds = 0; seconds < 10; seconds++) {
      time.pass(1_000);
      await settle();
    }
    time.pass(50);
  }

  it("passes updates without names on at once, as they are", () => {
    const config = configWith(endpointAt(80), endpointAt(81, { address: "app.local" }));
    send(config);
    assert.deepEqual(received, [config]);
    assert.equal(received[0]?.endpoints, config.endpoints);
    assert.deepEqual(asked, []);
  });

  it("makes each address an endpoint, with the name's own weight and labels", async () => {
    answers["db"] = ["10.0.0.2", "10.0.0.1"];
    send(configWith(named("db", "all", { weight: 3, labels: { version: "v1" } }), endpointAt(81)));
    await settle();
    const of = (address: string) => ({ address, port: 80, weight: 3, labels: { version: "v1" } });
    assert.deepEqual(endpointsOf(received[0]), [of("10.0.0.1"), of("10.0.0.2"), endpointAt(81)]);
    assert.equal(received.length, 1);
  });

  it("takes the first address of the newest answer with DNS_ROUND_ROBIN", async () => {
    answers["db"] = ["10.0.0.2", "10.0.0.1"];
    send(configWith(named("db", "first")));
    await settle();
    assert.deepEqual(addressesOf(received[0]), ["10.0.0.2"]);
    answers["db"] = ["10.0.0.1", "10.0.0.2"];
    await refresh();
    assert.deepEqual(addressesOf(received[1]), ["10.0.0.1"]);
  });

  it("makes one endpoint of several names of a host", async () => {
    answers["a"] = ["10.0.0.1"];
    answers["b"] = ["10.0.0.1", "10.0.0.2"];
    send(configWith(named("a"), named("b"), named("a", "all", { port: 81 })));
    await settle();
    assert.deepEqual(
      endpointsOf(received[0])?.map(({ address, port }) => `${address}:${port}`),
      ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.1:81"],
    );
  });

  it("holds an update until its names have an answer or a failure", async () => {
    answers["a"] = ["10.0.0.1"];
    answers["b"] = "failure";
    send(configWith(named("a"), named("b")));
    assert.equal(received.length, 0);
    await settle();
    assert.deepEqual(addressesOf(received[0]), ["10.0.0.1"]);
    assert.deepEqual(Object.keys(received[0] ?? {}).toSorted(), [
      "clusters",
      "endpoints",
      "listeners",
      "routes",
    ]);
  });

  it("holds it for five seconds at most, and joins what comes meanwhile", async () => {
    answers["a"] = "silence";
    const config = configWith(named("a"), endpointAt(81));
    send({ endpoints: config.endpoints, clusters: config.clusters });
    time.pass(4_000);
    send({ routes: config.routes });
    await settle();
    assert.equal(received.length, 0);
    time.pass(1_000);
    await settle();
    assert.equal(received.length, 1);
    assert.deepEqual(addressesOf(received[0]), ["127.0.0.1"]);
    assert.equal(received[0]?.routes, config.routes);
    send({ listeners: config.listeners });
    assert.deepEqual(received[1], { listeners: config.listeners });
  });

  it("sends changed addresses alone, with another version, and unchanged ones not", async () => {
    answers["a"] = ["10.0.0.1", "10.0.0.2"];
    send(configWith(named("a")));
    await settle();
    answers["a"] = ["10.0.0.2", "10.0.0.1"];
    await refresh();
    assert.equal(received.length, 1);
    answers["a"] = ["10.0.0.3"];
    await refresh();
    assert.equal(received.length, 2);
    assert.deepEqual(Object.keys(received[1] ?? {}), ["endpoints"]);
    assert.deepEqual(addressesOf(received[1]), ["10.0.0.3"]);
    assert.notEqual(received[1]?.endpoints?.version, received[0]?.endpoints?.version);
  });

  it("keeps the addresses while lookups fail, and drops those of a name that is gone", async () => {
    answers["a"] = ["10.0.0.1"];
    send(configWith(named("a")));
    await settle();
    answers["a"] = "failure";
    await refresh();
    assert.equal(received.length, 1);
    answers["a"] = [];
    await refresh();
    assert.deepEqual(addressesOf(received[1]), []);
  });

  it("sends what changes at the same time as one update, with equal parts kept", async () => {
    const clusters = ["a", "b", "c"].map((name) => clusterOf([named(name)], { name }));
    for (const name of ["a", "b", "c"]) answers[name] = ["10.0.0.1"];
    send(configOf({ clusters }));
    await settle();
    answers["a"] = answers["b"] = ["10.0.0.2"];
    await refresh();
    assert.equal(received.length, 2);
    const [before, after] = received.map((update) => update.endpoints?.resources);
    assert.equal(after?.[2], before?.[2]);
    assert.notEqual(after?.[0], before?.[0]);
  });

  it("never passes a name on, when pilot sends a set that is known already", async () => {
    answers["a"] = ["10.0.0.1"];
    const config = configWith(named("a"));
    send(config);
    await settle();
    send({ endpoints: config.endpoints });
    assert.deepEqual(addressesOf(received[1]), ["10.0.0.1"]);
  });

  it("asks no more for names that pilot has dropped, nor after the end", async () => {
    answers["a"] = answers["b"] = ["10.0.0.1"];
    send(configWith(named("a"), named("b")));
    await settle();
    send(configWith(named("b")));
    asked.length = 0;
    await refresh();
    assert.deepEqual(asked, ["b"]);
    stop();
    await refresh();
    assert.deepEqual(asked, ["b"]);
    assert.equal(time.tasks.size, 0);
  });
});
