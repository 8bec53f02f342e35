// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import type { AdapterHandler, MetricInstance, PartialFailure } from "../../plugins/sdk/index.ts";
import {
  createTestContext,
  describeAdapterContract,
  metricInstance,
  startFakeBackend,
} from "../../plugins/sdk/testing/index.ts";
import { freePort } from "../../bench/machine/free-port.ts";
import { eventually } from "../../test/support/eventually.ts";
import {
  type OriginalStatsd,
  startOriginalStatsd,
  startStatsdExporter,
  type StatsdExporter,
} from "../../test/support/statsd-servers.ts";
import { statsd } from "./index.ts";

const { signal } = new AbortController();
const handlers: AdapterHandler[] = [];
afterEach(async () => {
  for (const handler of handlers.splice(0)) await handler.close();
});

function build(config: Readonly<Record<string, unknown>>) {
  const context = createTestContext(statsd, config);
  const handler = statsd.build(context);
  handlers.push(handler);
  const report = async (...batch: Partial<MetricInstance>[]) =>
    ((await handler.metric?.(batch.map(metricInstance), { signal })) as PartialFailure | undefined)
      ?.refused ?? [];
  return { handler, report, time: context.time };
}

describe("the contract of the adapter statsd, over TCP", () => {
  describeAdapterContract(statsd, {
    backend: { config: ({ host, port }) => ({ host, port, transport: "tcp" }) },
  });
});

describe("the contract of the adapter statsd, over UDP", () => {
  // Loopback's port 9 (discard): nobody has to listen.
  describeAdapterContract(statsd, { config: { port: 9, dialect: "dogstatsd" } });
});

describe("the adapter statsd", () => {
  it("finds fields that only the other dialect has", () => {
    const faultsOf = (config: object) =>
      statsd.check?.({ ...createTestContext(statsd).config, ...config }).map((fault) => fault.path[0]);
    const tags = { tags: { a: "b" }, timestamps: true, cardinality: "low" };
    assert.deepEqual(faultsOf(tags), ["cardinality", "timestamps", "tags"]);
    assert.deepEqual(faultsOf({ ...tags, dialect: "dogstatsd" }), []);
    assert.throws(() => createTestContext(statsd, { containerId: "a|b" }));
  });

  describe("over UDP", () => {
    const receive = async () => {
      const socket = createSocket("udp4");
      const packets: string[] = [];
      socket.on("message", (packet) => packets.push(packet.toString()));
      socket.bind(0, "127.0.0.1");
      await once(socket, "listening");
      return { packets, port: socket.address().port, close: () => socket.close() };
    };

    it("sends datagrams no larger than maxPacketBytes, with several lines each", async () => {
      const receiver = await receive();
      const { report } = build({ port: receiver.port, maxPacketBytes: 100 });
      const series = Array.from({ length: 50 }, (_, index) => ({ labels: { user: `u${index}` } }));
      assert.deepEqual(await report(...series, ...series), []);
      await eventually(async () => assert.equal(receiver.packets.join("\n").split("\n").length, 50));
      assert.ok(receiver.packets.length < 20);
      assert.ok(receiver.packets.every((packet) => packet.length <= 100 && !packet.endsWith("\n")));
      assert.match(receiver.packets.join("\n"), /^requests_total\.u7:2\|c$/m);
      receiver.close();
    });

    it("refuses only the line that is too large", async () => {
      const receiver = await receive();
      const { report } = build({ port: receiver.port });
      const refused = await report({}, { labels: { path: "x".repeat(1_000_000) } });
      assert.deepEqual(
        refused.map(({ index, error }) => [index, (error as { code?: string }).code]),
        [[1, "PURSER_REQUEST_TOO_LARGE"]],
      );
      await eventually(async () => assert.equal(receiver.packets.length, 1));
      receiver.close();
    });

    it("reports a port where nobody listens as retryable, and is healthy again when somebody does", async () => {
      const port = await freePort();
      const { report, handler } = build({ port });
      await assert.rejects(report({}), {
        code: "PURSER_HANDLER_FAILED",
        retryable: true,
        message: /ECONNREFUSED/,
      });
      assert.equal(await handler.healthy?.(), false);
      const socket = createSocket("udp4").bind(port, "127.0.0.1");
      await once(socket, "listening");
      const message = once(socket, "message");
      assert.deepEqual(await report({}), []);
      await message;
      assert.equal(await handler.healthy?.(), true);
      socket.close();
    });

    it("looks names up within the deadline, and again when they are old", async () => {
      const receiver = await receive();
      const { report, time } = build({ host: "localhost", port: receiver.port });
      await report({}).catch(() => {});
      time.advance(61_000);
      await report({}).catch(() => {});
      const { report: lost } = build({ host: "no-such-host.invalid" });
      await assert.rejects(lost({}), {
        code: "PURSER_HANDLER_FAILED",
        retryable: true,
        message: /no-such-host/,
      });
      const { handler } = build({ host: "localhost", port: receiver.port });
      const aborted = AbortSignal.abort();
      await assert.rejects(async () => handler.metric?.([metricInstance()], { signal: aborted }), {
        code: "PURSER_HANDLER_TIMEOUT",
      });
      receiver.close();
    });

    it("does not send the packets again that an earlier try of the batch sent", async () => {
      const receiver = await receive();
      const { handler } = build({ port: receiver.port, maxPacketBytes: 64 });
      const batch = Array.from({ length: 200 }, (_, index) =>
        metricInstance({ labels: { user: `u${index}` } }),
      );
      const controller = new AbortController();
      const first = Promise.resolve(handler.metric?.(batch, { signal: controller.signal }));
      await eventually(async () => assert.ok(receiver.packets.length > 0), { everyMs: 1 });
      controller.abort();
      await first.catch(() => {});
      await handler.metric?.(batch, { signal });
      await eventually(async () => {
        const lines = receiver.packets.join("\n").split("\n");
        assert.ok(new Set(lines).size === 200, `${new Set(lines).size} lines`);
        // The packet that was under way at the abort may be there twice.
        assert.ok(lines.length <= 203, `${lines.length} lines`);
      });
      receiver.close();
    });
  });

  describe("over TCP", () => {
    it("writes whole lines, and makes a new connection after the server closed the old one", async () => {
      const received: Promise<string>[] = [];
      const server = await startFakeBackend((socket) => {
        received.push(text(socket));
        socket.once("data", () => socket.end());
      });
      const { report } = build({ port: server.address.port, transport: "tcp" });
      await report({}, { labels: { a: "b" } });
      await eventually(async () => assert.equal(server.connections, 0));
      await report({ value: 5, labels: {} });
      await eventually(async () => assert.equal(server.accepted, 2));
      assert.equal(await received[0], "requests_total.storefront.reviews.200:1|c\nrequests_total.b:1|c\n");
      assert.equal(await received[1], "requests_total:5|c\n");
      await server.close();
    });

    it("gives up a server that does not read, and leaves no half of a line to the next connection", async () => {
      const sockets: Socket[] = [];
      const server = await startFakeBackend((socket) => void sockets.push(socket.pause()));
      const { handler } = build({ port: server.address.port, transport: "tcp", maxPacketBytes: 65_507 });
      const labels = { path: "x".repeat(60_000) };
      const batch = Array.from({ length: 300 }, (_, index) => metricInstance({ name: `m${index}`, labels }));
      await assert.rejects(async () => handler.metric?.(batch, { signal: AbortSignal.timeout(300) }), {
        code: "PURSER_HANDLER_TIMEOUT",
        retryable: true,
      });
      // Only a server that reads learns of the end.
      for (const socket of sockets) socket.resume();
      await eventually(async () => assert.equal(server.connections, 0));
      await server.close();
    });
  });
});

describe("the adapter statsd with the original StatsD server", () => {
  let server: OriginalStatsd;
  before(async function () {
    server = await startOriginalStatsd(this);
  });
  after(() => server?.stop());

  for (const transport of ["udp", "tcp"] as const) {
    it(`is understood over ${transport}`, async () => {
      const port = transport === "udp" ? server.udpPort : server.tcpPort;
      const { report } = build({ port, transport, prefix: `${transport}.` });
      const gauge = (value: number) => ({ name: "depth", type: "gauge", value, labels: {} }) as const;
      const timer = { name: "duration", type: "histogram", unit: "s", labels: { code: "200" } } as const;
      await report({}, {}, gauge(7), { ...timer, value: 0.25 }, { ...timer, value: 0.5 });
      await report({ value: 0.5 }, gauge(-3), { name: "Zoë|1", labels: { a: "x:1|c\ny" } });
      await eventually(async () => {
        const counters = await server.ask("counters");
        assert.match(counters, new RegExp(`'${transport}.requests_total.storefront.reviews.200': 2.5`));
        assert.match(counters, new RegExp(`'${transport}.Zo__1.x_1_c_y': 1`));
        assert.match(counters, /'statsd.bad_lines_seen': 0/);
        assert.match(await server.ask("gauges"), new RegExp(`'${transport}.depth': -3`));
        assert.match(await server.ask("timers"), new RegExp(`'${transport}.duration.200': \\[ 250, 500 \\]`));
      });
    });
  }
});

describe("the adapter statsd with a DogStatsD server", () => {
  let server: StatsdExporter;
  before(async function () {
    server = await startStatsdExporter(this);
  });
  after(() => server?.stop());

  for (const transport of ["udp", "tcp"] as const) {
    it(`is understood over ${transport}`, async () => {
      const port = transport === "udp" ? server.udpPort : server.tcpPort;
      const { report } = build({
        port,
        transport,
        dialect: "dogstatsd",
        prefix: `${transport}.`,
        tags: { env: "test" },
      });
      const labels = { user: "Zoë, |#\n" };
      const duration = { name: "duration", type: "histogram", labels } as const;
      const durations = [1, 2, 4].map((value) => ({ ...duration, value }));
      await report(
        { value: 2, labels },
        { value: 3, labels },
        { name: "depth", type: "gauge", value: 7, labels },
        ...durations,
      );
      await eventually(async () => {
        const text = await server.metrics();
        const own = (line: string) => assert.ok(text.includes(`${transport}_${line}\n`), text);
        own('requests_total{env="test",user="Zoë_____"} 5');
        own('depth{env="test",user="Zoë_____"} 7');
        own('duration_sum{env="test",user="Zoë_____"} 7');
        own('duration_count{env="test",user="Zoë_____"} 3');
        assert.doesNotMatch(text, /^statsd_exporter_(sample|tag)_errors_total\S* [1-9]/m);
      });
    });
  }
});
