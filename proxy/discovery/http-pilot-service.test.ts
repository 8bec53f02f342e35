// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { decodeProxyConfigQuery } from "../../api/pilot-http.ts";
import type { ProxyNode } from "../../api/pilot.ts";
import type { ProxyConfig } from "../../core/traffic/resources/resource-set.ts";
import { garbage, hang, json, realPorts, ToyServer, until } from "../control-plane/toy-server.test.ts";
import { createHttpPilotService } from "./http-pilot-service.ts";

const NODE: ProxyNode = { role: "edge", id: "edge~1", host: "127.0.0.1", port: 8080, trustedHops: 0 };
const config = (version: string): ProxyConfig => ({ version, listeners: [], routeTables: [], clusters: [] });

describe("pilot over HTTP", () => {
  it("says who asks and what it has, and brings each change once", async () => {
    let current = config("1");
    const server = new ToyServer(({ url }, response) => {
      const { version } = decodeProxyConfigQuery(Object.fromEntries(url.searchParams));
      if (version !== current.version) json(current)({} as never, response);
    });
    await server.start();
    const pilot = createHttpPilotService({ url: server.url, ...realPorts() });
    const seen: string[] = [];
    pilot.watch(NODE, ({ version }) => void seen.push(version));
    await until(() => server.received.length === 2);
    const [first, second] = server.received.map(({ url }) =>
      decodeProxyConfigQuery(Object.fromEntries(url.searchParams)),
    );
    assert.deepEqual(first, { node: NODE, waitMs: 25_000 });
    assert.equal(second?.version, "1");
    current = config("2");
    await server.kill();
    await server.start();
    await until(() => seen.length === 2);
    assert.deepEqual(seen, ["1", "2"]);
    await pilot.close();
    await server.kill();
  });

  it("keeps asking when pilot answers garbage or what is no configuration, and logs that once", async () => {
    const server = new ToyServer(garbage);
    await server.start();
    const ports = realPorts();
    const pilot = createHttpPilotService({ url: server.url, ...ports });
    const seen: string[] = [];
    pilot.watch(NODE, ({ version }) => void seen.push(version));
    await until(() => server.received.length >= 2);
    server.answer = json({ version: "1", listeners: {} });
    await until(() => server.received.length >= 4);
    assert.deepEqual(seen, []);
    server.answer = json(config("1"));
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

  it("stops when told to", async () => {
    const server = new ToyServer(hang);
    await server.start();
    const pilot = createHttpPilotService({ url: server.url, ...realPorts() });
    const stop = pilot.watch(NODE, () => {});
    await until(() => server.received.length === 1);
    stop();
    await until(() => server.received[0]?.raw.socket.destroyed === true);
    await pilot.close();
    await server.kill();
  });
});
