// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import {
  ALLOW,
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  startProxy,
  until,
} from "../../proxy/testing/harness.test.ts";
import {
  callAsGrpcGo,
  GRPC_PEER_BUILD_MS,
  type GrpcServer,
  grpcPeerProgram,
  startGrpcServer,
} from "../support/grpc-peer.ts";

describe("grpc-go through the proxy", () => {
  let program: string;
  let server: GrpcServer | undefined;

  before(async function () {
    this.timeout(GRPC_PEER_BUILD_MS + 30_000);
    program = await grpcPeerProgram(this);
    server = await startGrpcServer(program);
  });
  after(() => server?.stop());
  afterEach(cleanUp);

  it("makes calls of each kind, with deadlines, cancellations, and errors with their details", async function () {
    this.timeout(60_000);
    const { port: upstreamPort, left } = server as GrpcServer;
    const { port, policy } = await startProxy(
      configOf({ clusters: [clusterOf([endpointAt(upstreamPort)], { protocol: "http2" })] }),
    );
    policy.decide = (bag) => {
      if ((bag["request"] as { path?: string }).path !== "/test.Echo/Denied") return ALLOW;
      const status = { code: "PERMISSION_DENIED" as const, message: "not for you é" };
      const decidedBy = { kind: "AccessPolicy", name: "doors", namespace: "default" };
      return { ...ALLOW, outcome: { kind: "deny", status, decidedBy } } as never;
    };
    const outcomes = new Map((await callAsGrpcGo(program, port)).map(({ call, ...rest }) => [call, rest]));
    assert.deepEqual(Object.fromEntries(outcomes), {
      unary: { code: "OK", value: "<a>key" },
      large: { code: "OK", value: "true" },
      many: { code: "OK" },
      chat: { code: "OK", value: "ended" },
      cancelled: { code: "Canceled", message: "context canceled" },
      deadline: { code: "DeadlineExceeded", message: "context deadline exceeded" },
      fail: { code: "NotFound", message: "no such thing é", details: ["test/GONE"] },
      denied: {
        code: "PermissionDenied",
        message: "not for you é",
        details: ["purser.dev/DENIED_BY_POLICY"],
      },
    });
    // The server hears of each client that left.
    await until(() => left().length === 2);
    assert.match(left().join("; "), /^left Chat Canceled; left Slow context (canceled|deadline exceeded)$/);
    await until(() => policy.reports.length === 1_007);
  });
});
