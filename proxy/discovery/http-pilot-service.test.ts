// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { decodeDiscoveryRequest } from "../../api/json/discovery.ts";
import type { ProxyNode } from "../../api/pilot-service.ts";
import { NOTHING_KNOWN, type TrafficUpdate } from "../../core/traffic/resources/resource-set.ts";
import { garbage, hang, json, realPorts, ToyServer, until } from "../control-plane/toy-server.test.ts";
import { createHttpPilotService } from "./http-pilot-service.ts";

const NODE: ProxyNode = { role: "edge", id: "edge~1", host: "127.0.0.1", port: 8080, trustedHops: 0 };
const routes = (version: string): TrafficUpdate => ({ routes: { version, resources: [] } });
const everything = (version: string): TrafficUpdate => {
  const set = { version, resources: [] };
  return { clusters: set, endpoints: set, listeners: set, routes: set };
};

describe("pilot over HTTP", () => {
  it("sends the node and the version of each type that it has, and delivers each change once", async () => {
    let current = everything("1");
    const server = new ToyServer(({ url }, response) => {
      const { known } = decodeDiscoveryRequest(Object.fromEntries(url.searchParams));
      if (known.routes !== current.routes?.version) json(current)({} as never, response);
    });
    await server.start();
    const pilot = createHttpPilotService({ url: server.url, ...realPorts() });
    const seen: TrafficUpdate[] = [];
    pilot.watch({ node: NODE, known: NOTHING_KNOWN }, (update) => void seen.push(update));
    await until(() => server.received.length === 2);
    const asked = () =>
      server.received.map(({ url }) => decodeDiscoveryRequest(Object.fromEntries(url.searchParams)));
    assert.deepEqual(asked()[0], { node: NODE, known: NOTHING_KNOWN, waitMs: 25_000 });
    const first = { clusters: "1", endpoints: "1", listeners: "1", routes: "1" };
    assert.deepEqual(asked()[1]?.known, first);
    current = routes("2");
    await server.kill();
    await server.start();
    await until(() => seen.length === 2);
    assert.deepEqual(seen, [everything("1"), routes("2")]);
    await until(() => asked().at(-1)?.known.routes === "2");
    assert.deepEqual(asked().at(-1)?.known, { ...first, routes: "2" });
    await pilot.close();
    await server.kill();
  });

  it("keeps polling when pilot answers garbage or a malformed update, and logs it once", async () => {
    const server = new ToyServer(garbage);
    await server.start();
    const ports = realPorts();
    const pilot = createHttpPilotService({ url: server.url, ...ports });
    const seen: TrafficUpdate[] = [];
    pilot.watch({ node: NODE, known: NOTHING_KNOWN }, (update) => void seen.push(update));
    await until(() => server.received.length >= 2);
    for (const wrong of [{}, { routes: { version: "1", resources: [{ name: "r" }] } }, { listeners: {} }]) {
      const before = server.received.length;
      server.answer = json(wrong);
      await until(() => server.received.length >= before + 2);
    }
    assert.deepEqual(seen, []);
    server.answer = json(everything("1"));
    await until(() => seen.length === 1);
    server.answer = hang;
    assert.deepEqual(
      ports.logger.lines.map(({ level }) => level),
      ["warn", "info"],
    );
    await pilot.close();
    await pilot.close();
    await server.kill();
  });

  it("stops polling when it is closed", async () => {
    const server = new ToyServer(hang);
    await server.start();
    const pilot = createHttpPilotService({ url: server.url, ...realPorts() });
    const stop = pilot.watch({ node: NODE, known: NOTHING_KNOWN }, () => {});
    await until(() => server.received.length === 1);
    stop();
    await until(() => server.received[0]?.raw.socket.destroyed === true);
    await pilot.close();
    await server.kill();
  });
});
