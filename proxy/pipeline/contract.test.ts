// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import {
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  forwardTo,
  groupOf,
  routeOf,
  startProxy,
  until,
} from "../testing/harness.test.ts";
import { MemoryTransport } from "../testing/memory-transport.test.ts";
import { DEFAULT_RETRY_POLICY } from "../../core/traffic/retry.ts";
import { HeaderList } from "../transport/contract/header-list.ts";
import type { ResetReason } from "../transport/contract/reset.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("the pipeline over a transport without sockets", () => {
  afterEach(cleanUp);

  async function start(retries = 0) {
    const transport = new MemoryTransport();
    const cluster = clusterOf([endpointAt(1)]);
    const retry = { ...DEFAULT_RETRY_POLICY, retries, backoffBaseMs: 1, backoffMaxMs: 1 };
    const routes = [routeOf(forwardTo(cluster.name, { retry }))];
    const { policy } = await startProxy(configOf({ clusters: [cluster], routes }), { transport });
    return { transport, policy };
  }

  it("streams a request and its response with back-pressure and trailers", async () => {
    const { transport, policy } = await start();
    const client = transport.request({ method: "POST", hasBody: true });
    const [upstream] = transport.opened;
    assert.ok(upstream !== undefined);
    upstream.takesMore = false;
    client.receiver?.onData(bytes("hello"));
    assert.equal(client.isPaused, true);
    upstream.receiver.onWritable();
    assert.equal(client.isPaused, false);
    client.receiver?.onEnd(new HeaderList(["x-sum", "5", "host", "b"]));
    assert.deepEqual(upstream.trailers?.flat(), ["x-sum", "5"]);
    upstream.receiver.onInformational({ status: 103, headers: new HeaderList(["link", "</a>"]) });
    upstream.answer(200);
    client.takesMore = false;
    upstream.receiver.onData(bytes("hi"));
    assert.equal(upstream.isPaused, true);
    client.events?.onWritable();
    assert.equal(upstream.isPaused, false);
    upstream.receiver.onEnd(new HeaderList(["grpc-status", "0"]));
    assert.deepEqual(
      client.sent.map(({ status }) => status),
      [103, 200],
    );
    assert.deepEqual(client.trailers?.flat(), ["grpc-status", "0"]);
    const request = groupOf(policy.reports, "request");
    const response = groupOf(policy.reports, "response");
    assert.deepEqual([request["size"], response["size"], response["grpc_status"]], [5, 2, "0"]);
    const bytesOf = (...fields: string[]): number => new HeaderList(fields).byteLength();
    assert.equal(request["total_size"], 5 + bytesOf("host", "a") + bytesOf("x-sum", "5"));
    assert.equal(response["total_size"], 2 + bytesOf("server", "purser") + bytesOf("grpc-status", "0"));
  });

  for (const [reason, status, flag] of [
    ["connection-failure", 503, "UF"],
    ["connection-termination", 503, "UC"],
    ["remote-reset", 503, "UC"],
    ["remote-refused-stream", 503, "UC"],
    ["protocol-error", 502, "UPE"],
    ["unsendable", 400, "DPE"],
  ] as const satisfies readonly (readonly [ResetReason, number, string])[])
    it(`answers ${status} ${flag} when the upstream's stream ends by ${reason}`, async () => {
      const { transport, policy } = await start();
      const client = transport.request();
      transport.opened[0]?.fail(reason);
      assert.equal(client.sent[0]?.status, status);
      assert.equal(groupOf(policy.reports, "response")["flags"], flag);
    });

  it("retries a request that the upstream refused unprocessed, even a POST", async () => {
    const { transport } = await start(1);
    const client = transport.request({ method: "POST" });
    transport.opened[0]?.fail("remote-refused-stream");
    await until(() => transport.opened.length === 2);
    transport.opened[1]?.answer(200);
    transport.opened[1]?.receiver.onEnd(undefined);
    assert.equal(client.sent[0]?.status, 200);
  });

  it("cancels the upstream's stream when the client resets its own", async () => {
    const { transport, policy } = await start();
    const client = transport.request();
    client.events?.onClose("remote-reset");
    assert.equal(transport.opened[0]?.isReset, true);
    const { flags, code_details } = groupOf(policy.reports, "response");
    assert.deepEqual([flags, code_details], ["DC", "downstream_remote_disconnect"]);
  });

  it("records the facts of TLS as attributes", async () => {
    const { transport, policy } = await start();
    const peerCertificate = {
      der: new Uint8Array(),
      uris: [],
      dnsNames: [],
      subject: "CN=a",
      notAfterEpochMs: Infinity,
    };
    transport.request({}, { tls: { serverName: "a", alpn: "h2", peerCertificate, routeTable: "main" } });
    assert.equal(groupOf(policy.checks, "request")["scheme"], "https");
    assert.equal(groupOf(policy.checks, "connection")["mtls"], true);
    assert.equal(transport.opened[0]?.head.headers.get("x-forwarded-proto"), "https");
  });
});
