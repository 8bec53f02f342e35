// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { request } from "node:http";

import type { Route, RouteAction } from "../../core/traffic/resources/route.ts";
import {
  call,
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  forwardTo,
  groupOf,
  type Rig,
  routeOf,
  startProxy,
  until,
} from "../testing/harness.test.ts";

/** A proxy with one route, before an upstream that nobody needs. */
function startWithRoute(action: RouteAction | undefined, more: Partial<Route> = {}): Promise<Rig> {
  const cluster = clusterOf([endpointAt(1)]);
  const routes = [routeOf(action ?? forwardTo(cluster.name), more)];
  return startProxy(configOf({ clusters: [cluster], routes }));
}

const direct = (bytes: string, status = 200): RouteAction => ({
  kind: "direct",
  status,
  body: "",
  bytes,
  contentType: "text/plain",
});

/** The body's bytes over HTTP/1.1. */
function bytesOf(port: number, method = "GET"): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, method, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => resolve(Buffer.concat(chunks)));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

describe("a direct response of bytes", () => {
  afterEach(cleanUp);

  it("sends the bytes, in either alphabet of base64", async () => {
    const bytes = Buffer.from([0, 255, 254, 128, 13, 10]);
    for (const text of [bytes.toString("base64"), bytes.toString("base64url")]) {
      const { port } = await startWithRoute(direct(text));
      assert.deepEqual(await bytesOf(port), bytes);
      assert.equal((await bytesOf(port, "HEAD")).byteLength, 0);
      const { headers } = await call(port, { method: "HEAD" });
      assert.deepEqual([headers["content-type"], headers["content-length"]], ["text/plain", "6"]);
    }
  });

  it("has no content where its status or its bytes have none", async () => {
    const empty = await call((await startWithRoute(direct(""))).port);
    assert.deepEqual([empty.headers["content-type"], empty.headers["content-length"]], [undefined, "0"]);
    const none = await call((await startWithRoute(direct("AAAA", 204))).port);
    assert.deepEqual([none.status, none.headers["content-length"], none.body], [204, undefined, ""]);
  });
});

describe("an abort with a gRPC status", () => {
  afterEach(cleanUp);

  const fault = { abort: { status: 429, grpcStatus: "RESOURCE_EXHAUSTED", percentage: 100 } } as const;

  it("is that status to a gRPC client, and the HTTP status of it to others", async () => {
    const { port, policy } = await startWithRoute(undefined, { fault });
    const grpc = await call(port, { method: "POST", headers: { "content-type": "application/grpc" } });
    assert.deepEqual([grpc.status, grpc.headers["grpc-status"], grpc.body], [200, "8", ""]);
    assert.equal(grpc.headers["x-purser-error"], "PURSER_PROXY_FAULT_INJECTED");
    const plain = await call(port);
    assert.deepEqual([plain.status, plain.headers["grpc-status"]], [429, undefined]);
    await until(() => policy.reports.length === 2);
    assert.equal(groupOf(policy.reports, "response")["flags"], "FI");
  });
});
