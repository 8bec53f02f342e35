// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import {
  type Client,
  credentials,
  makeGenericClientConstructor,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type ServiceError,
} from "@grpc/grpc-js";

import {
  cleanUp,
  clusterOf,
  configOf,
  refusal,
  endpointAt,
  onCleanup,
  type Rig,
  startProxy,
  until,
} from "../testing/harness.test.ts";

const text = {
  serialize: (value: string) => Buffer.from(value),
  deserialize: (bytes: Buffer) => bytes.toString(),
};

function method(name: string, requestStream: boolean, responseStream: boolean): ServiceDefinition[string] {
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: text.serialize,
    requestDeserialize: text.deserialize,
    responseSerialize: text.serialize,
    responseDeserialize: text.deserialize,
  };
}

const ECHO: ServiceDefinition = {
  unary: method("unary", false, false),
  collect: method("collect", true, false),
  spread: method("spread", false, true),
  chat: method("chat", true, true),
};

/** A server of grpc-js, with a proxy in front of it and a client of grpc-js. */
async function start(): Promise<{
  readonly rig: Rig;
  readonly client: EchoClient;
  readonly calls: string[];
}> {
  const calls: string[] = [];
  const server = new Server();
  server.addService(ECHO, {
    unary: (call: never, done: never) => {
      const { request, metadata } = call as { request: string; metadata: Metadata };
      calls.push(request);
      const answer = done as (
        error: Partial<ServiceError> | null,
        value?: string,
        trailer?: Metadata,
      ) => void;
      if (request === "slow") return;
      if (request === "fail") return answer({ code: 5, details: "no such thing é" });
      const trailer = new Metadata();
      trailer.set("x-trailer", String(metadata.get("x-key")[0]));
      answer(null, `<${request}>`, trailer);
    },
    collect: (call: never, done: never) => {
      const stream = call as NodeJS.ReadableStream;
      let all = "";
      stream.on("data", (part: string) => (all += part));
      stream.on("end", () => (done as (error: null, value: string) => void)(null, all));
    },
    spread: (call: never) => {
      const stream = call as NodeJS.WritableStream & { request: string };
      for (const part of stream.request) stream.write(part as never);
      stream.end();
    },
    chat: (call: never) => {
      const stream = call as NodeJS.ReadWriteStream;
      stream.on("data", (part: string) => stream.write(`<${part}>` as never));
      stream.on("end", () => stream.end());
    },
  } as never);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  onCleanup(() => server.forceShutdown());
  const rig = await startProxy(
    configOf({ clusters: [clusterOf([endpointAt(port)], { protocol: "http2" })] }),
  );
  const Echo = makeGenericClientConstructor(ECHO, "Echo");
  const client = new Echo(`127.0.0.1:${rig.port}`, credentials.createInsecure()) as unknown as EchoClient;
  onCleanup(() => client.close());
  return { rig, client, calls };
}

type Done = (error: ServiceError | null, value?: string) => void;

interface Duplex extends NodeJS.EventEmitter {
  write(part: string): void;
  end(): void;
}

type EchoClient = Client & {
  unary(value: string, metadata: Metadata, options: { deadline?: Date }, done: Done): NodeJS.EventEmitter;
  collect(done: Done): Duplex;
  spread(value: string): Duplex;
  chat(): Duplex;
};

function unary(
  client: EchoClient,
  value: string,
  options: { deadline?: Date } = {},
): Promise<{
  readonly error: ServiceError | null;
  readonly value: string | undefined;
  readonly trailer: unknown;
}> {
  const metadata = new Metadata();
  metadata.set("x-key", "k");
  return new Promise((resolve) => {
    let trailer: unknown;
    const call = client.unary(value, metadata, options, (error, answer) =>
      setImmediate(() => resolve({ error, value: answer, trailer })),
    );
    call.on("status", (status: { metadata: Metadata }) => (trailer = status.metadata.get("x-trailer")[0]));
  });
}

describe("gRPC through the proxy, with clients and servers of grpc-js", () => {
  afterEach(cleanUp);

  it("carries calls of all four kinds", async () => {
    const { client, rig } = await start();
    const answer = await unary(client, "a");
    assert.deepEqual([answer.error, answer.value, answer.trailer], [null, "<a>", "k"]);
    const collected = await new Promise<string | undefined>((resolve, reject) => {
      const call = client.collect((error, value) => (error === null ? resolve(value) : reject(error)));
      for (const part of ["a", "b", "c"]) call.write(part);
      call.end();
    });
    assert.equal(collected, "abc");
    const spread: string[] = [];
    const stream = client.spread("xyz");
    stream.on("data", (part: string) => spread.push(part));
    await new Promise((resolve) => stream.on("end", resolve));
    assert.deepEqual(spread, ["x", "y", "z"]);
    const chat = client.chat();
    const heard: string[] = [];
    chat.on("data", (part: string) => heard.push(part));
    for (const part of ["1", "2", "3"]) {
      chat.write(part);
      await until(() => heard.at(-1) === `<${part}>`);
    }
    chat.end();
    await new Promise((resolve) => chat.on("end", resolve));
    await until(() => rig.policy.reports.length === 4);
    for (const { response } of rig.policy.reports)
      assert.equal((response as Record<string, unknown>)["grpc_status"], "0");
  });

  it("passes a server's status on, and a client's deadline", async () => {
    const { client } = await start();
    const failed = await unary(client, "fail");
    assert.deepEqual([failed.error?.code, failed.error?.details], [5, "no such thing é"]);
    const late = await unary(client, "slow", { deadline: new Date(Date.now() + 150) });
    assert.equal(late.error?.code, 4);
  });

  it("gives refusals as statuses, and sends nothing of a refused call to the server", async () => {
    const { client, rig, calls } = await start();
    rig.policy.decide = () => refusal("not today");
    const denied = await unary(client, "a");
    assert.deepEqual([denied.error?.code, denied.error?.details], [7, "not today"]);
    assert.ok(denied.error?.metadata.get("grpc-status-details-bin")[0] instanceof Buffer);
    assert.deepEqual(calls, []);
  });

  it("gives the proxy's own errors as statuses", async () => {
    const { client, rig } = await start();
    rig.apply(configOf({ clusters: [], routes: [] }));
    await until(() => rig.proxy.clusters().length === 0);
    const { error } = await unary(client, "a");
    assert.equal(error?.code, 12);
  });
});
