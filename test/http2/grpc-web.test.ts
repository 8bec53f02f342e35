// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, file_google_protobuf_wrappers } from "@bufbuild/protobuf/wkt";
import { type CallOptions, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-node";

import {
  ALLOW,
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  type Rig,
  startProxy,
  until,
} from "../../proxy/testing/harness.test.ts";
import {
  GRPC_PEER_BUILD_MS,
  type GrpcServer,
  grpcPeerProgram,
  startGrpcServer,
} from "../support/grpc-peer.ts";

interface Text {
  readonly value: string;
}

/** The client of test.Echo; its methods are made from descriptors, so that the types do not know them. */
interface EchoClient {
  readonly unary: (text: Text, options?: CallOptions) => Promise<Text>;
  readonly fail: (text: Text) => Promise<Text>;
  readonly denied: (text: Text) => Promise<Text>;
  readonly slow: (text: Text, options: CallOptions) => Promise<Text>;
  readonly chat: (texts: AsyncIterable<Text>, options?: CallOptions) => AsyncIterable<Text>;
}

/** The service of `test/support/grpc-peer/main.go`. */
function echoService(): DescService {
  const type = { inputType: ".google.protobuf.StringValue", outputType: ".google.protobuf.StringValue" };
  const unary = ["Unary", "Fail", "Denied", "Slow"].map((name) => ({ name, ...type }));
  const chat = { name: "Chat", ...type, clientStreaming: true, serverStreaming: true };
  const file = create(FileDescriptorProtoSchema, {
    name: "echo.proto",
    package: "test",
    syntax: "proto3",
    dependency: ["google/protobuf/wrappers.proto"],
    service: [{ name: "Echo", method: [...unary, chat] }],
  });
  const service = createFileRegistry(file, () => file_google_protobuf_wrappers.proto).getService("test.Echo");
  assert.ok(service !== undefined);
  return service;
}

const LARGE = "x".repeat(3 << 20);

/** Longest time of a call that nothing holds up, in milliseconds. */
const CALL_MS = 20_000;

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  const failure = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(failure instanceof ConnectError, "the call fails");
  return failure;
}

describe("clients of gRPC-Web and a server of grpc-go", () => {
  let server: GrpcServer | undefined;

  before(async function () {
    this.timeout(GRPC_PEER_BUILD_MS + 30_000);
    server = await startGrpcServer(await grpcPeerProgram(this));
  });
  after(() => server?.stop());
  afterEach(cleanUp);

  async function start(
    httpVersion: "1.1" | "2",
  ): Promise<{ readonly rig: Rig; readonly client: EchoClient }> {
    const { port } = server as GrpcServer;
    const rig = await startProxy(
      configOf({ clusters: [clusterOf([endpointAt(port)], { protocol: "http2", grpcWeb: true })] }),
    );
    const transport = createGrpcWebTransport({ baseUrl: `http://127.0.0.1:${rig.port}`, httpVersion });
    return { rig, client: createClient(echoService(), transport) as unknown as EchoClient };
  }

  for (const version of ["1.1", "2"] as const) {
    it(`make calls over HTTP/${version}, small and large, with metadata in both directions`, async function () {
      this.timeout(60_000);
      const { rig, client } = await start(version);
      let trailer: string | null = null;
      const options = {
        headers: { "x-key": "key" },
        onTrailer: (trailers: Headers) => (trailer = trailers.get("x-trailer")),
        timeoutMs: CALL_MS,
      };
      assert.equal((await client.unary({ value: "a" }, options)).value, "<a>");
      assert.equal(trailer, "key");
      assert.equal((await client.unary({ value: LARGE }, { timeoutMs: CALL_MS })).value, `<${LARGE}>`);
      const many = Array.from({ length: 200 }, (_, index) => client.unary({ value: String(index) }));
      assert.deepEqual(
        (await Promise.all(many)).map(({ value }) => value),
        many.map((_, index) => `<${index}>`),
      );
      await until(() => rig.policy.reports.length === 202);
    });

    it(`get the server's status with its details, a deadline, and a refusal over HTTP/${version}`, async () => {
      const { rig, client } = await start(version);
      const failed = await failureOf(client.fail({ value: "a" }));
      assert.deepEqual([failed.code, failed.rawMessage], [Code.NotFound, "no such thing é"]);
      const [detail] = failed.details as readonly { readonly type: string }[];
      assert.equal(detail?.type, "google.rpc.ErrorInfo");
      const late = await failureOf(client.slow({ value: "a" }, { timeoutMs: 200 }));
      assert.equal(late.code, Code.DeadlineExceeded);
      await until(() => server?.left().some((line) => line.startsWith("left Slow")) === true);
      rig.policy.decide = () => {
        const status = { code: "PERMISSION_DENIED" as const, message: "not for you é" };
        const decidedBy = { kind: "AccessPolicy", name: "doors", namespace: "default" };
        return { ...ALLOW, outcome: { kind: "deny", status, decidedBy } } as never;
      };
      const denied = await failureOf(client.denied({ value: "a" }));
      assert.deepEqual([denied.code, denied.rawMessage], [Code.PermissionDenied, "not for you é"]);
    });
  }

  it("get each message of a stream when it is sent", async () => {
    const { client } = await start("2");
    const heard: string[] = [];
    async function* spoken(): AsyncGenerator<Text> {
      for (let index = 0; index < 50; index++) {
        yield { value: String(index) };
        await until(() => heard.length > index);
      }
    }
    for await (const { value } of client.chat(spoken(), { timeoutMs: CALL_MS })) heard.push(value);
    assert.deepEqual(
      heard,
      Array.from({ length: 50 }, (_, index) => `<${index}>`),
    );
  });
});
