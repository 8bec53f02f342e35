// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { request } from "node:http";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";

import type { CorsPolicy } from "../../../core/traffic/resources/route.ts";
import { DEFAULT_RETRY_POLICY } from "../../../core/traffic/retry.ts";
import {
  callHttp1,
  cleanUp,
  clusterOf,
  configOf,
  refusal,
  deadPort,
  EDGE,
  endpointAt,
  forwardTo,
  groupOf,
  onCleanup,
  type Reply,
  type Rig,
  routeOf,
  startProxy,
  until,
} from "../../testing/harness.test.ts";
import { callHttp2 } from "../../testing/http2-peers.test.ts";

/** A call as the upstream saw it. */
interface SeenCall {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** A server of HTTP/2 that answers the whole call by `answer`. */
async function upstream(
  answer: (stream: ServerHttp2Stream, call: SeenCall) => void,
): Promise<{ readonly port: number; readonly calls: readonly SeenCall[] }> {
  const calls: SeenCall[] = [];
  const server = createServer();
  server.on("session", (session) => onCleanup(() => session.destroy()));
  server.on("stream", (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const call = { headers, body: Buffer.concat(chunks) };
      calls.push(call);
      answer(stream, call);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onCleanup(() => void server.close());
  return { port: (server.address() as AddressInfo).port, calls };
}

function frameOf(text: string, flags = 0): Buffer {
  const prefix = Buffer.from([flags, 0, 0, 0, 0]);
  prefix.writeUInt32BE(Buffer.byteLength(text), 1);
  return Buffer.concat([prefix, Buffer.from(text)]);
}

/** Sends the request's body back, part by part, and then a status in trailers. */
function echo(stream: ServerHttp2Stream, { body }: SeenCall): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () =>
    stream.sendTrailers({ "grpc-status": "5", "grpc-message": "none", "x-a": "b" }),
  );
  stream.write(body.subarray(0, 4));
  setTimeout(() => stream.end(body.subarray(4)), 20);
}

const TRAILERS = frameOf("grpc-status:5\r\ngrpc-message:none\r\nx-a:b\r\n", 0x80);

/** The bytes of padded texts of base64 that stand one after the other. */
function decoded(text: string): Buffer {
  const groups = text.match(/.{1,4}/gs) ?? [];
  return Buffer.concat(groups.map((group) => Buffer.from(group, "base64")));
}

const TEXT = { "content-type": "application/grpc-web-text+proto", "x-grpc-web": "1", host: "echo" };
const PATH = "/test.Echo/Unary";

interface WebCall {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly method?: string;
}

/** The two protocols of clients. */
const CLIENTS = {
  "http/1.1": (port: number, { headers, body, method = "POST" }: WebCall): Promise<Reply> =>
    callHttp1(port, {
      method,
      path: PATH,
      headers: { ...TEXT, ...headers },
      ...(body === undefined ? {} : { body }),
    }),
  "http/2": (port: number, { headers, body, method = "POST" }: WebCall): Promise<Reply> =>
    callHttp2(port, { method, path: PATH, headers: { ...TEXT, ...headers }, body }),
};

interface Options {
  /** The part of the configuration that switches the translation on. */
  readonly by?: "cluster" | "listener" | "neither";
  readonly cors?: CorsPolicy;
}

/** A proxy with the route's default retries in front of an upstream of HTTP/2. */
function start(port: number, { by = "cluster", cors }: Options = {}): Promise<Rig> {
  const ofCluster = by === "cluster" ? { grpcWeb: true } : {};
  const cluster = clusterOf([endpointAt(port)], { protocol: "http2", ...ofCluster });
  const action = forwardTo(cluster.name, { retry: DEFAULT_RETRY_POLICY });
  return startProxy(
    configOf({
      clusters: [cluster],
      routes: [routeOf(action, cors === undefined ? {} : { cors })],
      listeners: [by === "listener" ? { ...EDGE, grpcWeb: true } : EDGE],
    }),
  );
}

/** The series of the metric, as `FORM STATUS COUNT`. */
async function countsOf({ proxy }: Rig): Promise<readonly string[]> {
  const text = await proxy.registry.metrics();
  return [
    ...text.matchAll(
      /^purser_proxy_grpc_web_requests_total\{listener="edge",form="(.*)",grpc_status="(.*)"\} (.*)$/gm,
    ),
  ].map(([, ...parts]) => parts.join(" "));
}

/** A call in text whose response is read as it comes. */
function listen(port: number): { readonly frames: () => Buffer } {
  let received = "";
  const outgoing = request({ host: "127.0.0.1", port, method: "POST", path: PATH, headers: TEXT });
  onCleanup(() => void outgoing.destroy());
  outgoing.on(
    "response",
    (incoming) => void incoming.on("data", (chunk: Buffer) => (received += chunk.toString())),
  );
  outgoing.end();
  return { frames: () => decoded(received) };
}

describe("a stream of gRPC-Web in text", () => {
  afterEach(cleanUp);

  it("brings each message when the upstream sends it, in groups that can be decoded", async () => {
    const answers: ServerHttp2Stream[] = [];
    const { port } = await upstream((stream) => {
      answers.push(stream);
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    });
    const { frames } = listen((await start(port)).port);
    await until(() => answers.length === 1);
    let sent = Buffer.alloc(0);
    for (const message of ["1", "22", "333"]) {
      answers[0]?.write(frameOf(message));
      sent = Buffer.concat([sent, frameOf(message)]);
      await until(() => frames().equals(sent));
    }
    answers[0]?.end();
    await until(() => frames().equals(Buffer.concat([sent, frameOf("grpc-status:0\r\n", 0x80)])));
  });

  it("ends with a status in its body when changed policies refuse it", async () => {
    const { port } = await upstream((stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.write(frameOf("1"));
    });
    const rig = await start(port);
    const { frames } = listen(rig.port);
    await until(() => frames().equals(frameOf("1")));
    rig.policy.change(() => "refused");
    const status = frameOf("grpc-status:7\r\ngrpc-message:the policies have changed\r\n", 0x80);
    await until(() => frames().equals(Buffer.concat([frameOf("1"), status])));
  });
});

for (const [name, call] of Object.entries(CLIENTS))
  describe(`gRPC-Web of a client of ${name}`, () => {
    afterEach(cleanUp);

    for (const by of ["cluster", "listener"] as const)
      it(`is gRPC for the upstream, and has the trailers in its body (by the ${by})`, async () => {
        const { port, calls } = await upstream(echo);
        const rig = await start(port, { by });
        // Padding in the middle, since each message is encoded by itself.
        const sent = [frameOf("a"), frameOf("bcd")];
        const body = sent.map((frame) => frame.toString("base64")).join("");
        const reply = await call(rig.port, { body });
        assert.deepEqual(
          [reply.status, reply.headers["content-type"], reply.headers["grpc-status"]],
          [200, "application/grpc-web-text+proto", undefined],
        );
        assert.deepEqual(decoded(reply.body), Buffer.concat([...sent, TRAILERS]));
        const [{ headers, body: received } = { headers: {}, body: undefined }] = calls;
        assert.deepEqual(received, Buffer.concat(sent));
        assert.deepEqual(
          [headers["content-type"], headers["te"], headers["content-length"], headers["x-grpc-web"]],
          ["application/grpc+proto", "trailers", undefined, "1"],
        );
        await until(() => rig.policy.reports.length === 1);
        const { grpc_status, grpc_message } = groupOf(rig.policy.reports, "response");
        assert.deepEqual([grpc_status, grpc_message], ["5", "none"]);
        assert.deepEqual(await countsOf(rig), ["text NOT_FOUND 1"]);
      });

    it("passes where nobody switched it on, whatever the request says", async () => {
      const { port, calls } = await upstream(echo);
      const rig = await start(port, { by: "neither" });
      await call(rig.port, { body: "AAAAAAA=" });
      assert.deepEqual(
        [calls[0]?.headers["content-type"], calls[0]?.body.toString()],
        ["application/grpc-web-text+proto", "AAAAAAA="],
      );
      assert.deepEqual(await countsOf(rig), []);
    });

    it("leaves other requests to the same service as they are", async () => {
      const { port, calls } = await upstream(echo);
      const rig = await start(port);
      await call(rig.port, { body: "AA!A", headers: { "content-type": "text/plain" } });
      await call(rig.port, { body: "AA!A", headers: { "content-type": "application/grpc-webby" } });
      await call(rig.port, { body: "AA!A", method: "PUT" });
      assert.deepEqual(
        calls.map(({ body }) => body.toString()),
        ["AA!A", "AA!A", "AA!A"],
      );
    });

    it("has the response's form by `accept`, else by its own", async () => {
      const { port } = await upstream(echo);
      const rig = await start(port);
      const table = [
        ["application/grpc-web-text", "application/grpc-web", "application/grpc-web+proto"],
        ["application/grpc-web+proto", "application/grpc-web-text", "application/grpc-web-text+proto"],
        ["application/grpc-web-text", "*/*", "application/grpc-web-text+proto"],
        ["application/grpc-web+json", "*/*", "application/grpc-web+proto"],
      ];
      for (const [type = "", accept = "", expected] of table) {
        const { headers } = await call(rig.port, { body: "", headers: { "content-type": type, accept } });
        assert.equal(headers["content-type"], expected, `${type} ${accept}`);
      }
    });

    it("gets a refusal by a policy, and its details, as a status in the head", async () => {
      const { port, calls } = await upstream(echo);
      const rig = await start(port);
      rig.policy.decide = () => refusal("not today");
      const { status, headers, body } = await call(rig.port, { body: frameOf("a").toString("base64") });
      assert.deepEqual(
        [status, headers["content-type"], headers["grpc-status"], headers["grpc-message"], body],
        [200, "application/grpc-web-text+proto", "7", "not today", ""],
      );
      assert.ok(headers["grpc-status-details-bin"] !== undefined);
      assert.equal(calls.length, 0);
    });

    it("gets the proxy's own errors as statuses, after it has tried again", async () => {
      const rig = await start(await deadPort());
      const { status, headers, body } = await call(rig.port, { body: frameOf("a").toString("base64") });
      assert.deepEqual(
        [status, headers["content-type"], headers["grpc-status"], body],
        [200, "application/grpc-web-text+proto", "14", ""],
      );
      await until(() => rig.policy.reports.length === 1);
      assert.equal(groupOf(rig.policy.reports, "response")["flags"], "URX,UF");
      assert.deepEqual(await countsOf(rig), ["text UNAVAILABLE 1"]);
    });

    it("is refused with a status when its body is not base64", async () => {
      const { port, calls } = await upstream(echo);
      const rig = await start(port);
      for (const body of ["AAAAA!AA", "AAAAA", "====", "QQ=Q", "QR=="]) {
        const { status, headers } = await call(rig.port, { body });
        assert.deepEqual([status, headers["grpc-status"]], [200, "13"], body);
        assert.match(String(headers["grpc-message"]), /base64/);
      }
      assert.equal(calls.length, 0);
    });

    it("keeps a response of the head alone, and one that is not gRPC", async () => {
      const { port } = await upstream((stream, { body }) => {
        if (body.includes("head"))
          stream.respond(
            { ":status": 200, "content-type": "application/grpc", "grpc-status": "16" },
            { endStream: true },
          );
        else {
          stream.respond({ ":status": 404, "content-type": "text/html" });
          stream.end("gone");
        }
      });
      const rig = await start(port);
      const head = await call(rig.port, { body: frameOf("head").toString("base64") });
      assert.deepEqual(
        [head.status, head.headers["grpc-status"], head.headers["content-type"], head.body],
        [200, "16", "application/grpc-web-text+proto", ""],
      );
      const other = await call(rig.port, { body: "" });
      assert.deepEqual([other.status, other.headers["content-type"], other.body], [404, "text/html", "gone"]);
      assert.deepEqual(await countsOf(rig), ["text UNAUTHENTICATED 1", "text none 1"]);
    });

    it("is readable for a page of another origin, with its statuses", async () => {
      const { port } = await upstream(echo);
      const rig = await start(port, {
        cors: {
          allowOrigins: [{ kind: "exact", value: "https://shop.example" }],
          allowMethods: ["POST"],
          allowHeaders: ["content-type", "x-grpc-web", "grpc-timeout"],
          exposeHeaders: ["grpc-status", "grpc-message", "grpc-status-details-bin"],
          allowCredentials: false,
          forwardUnmatchedPreflights: false,
        },
      });
      const preflight = await call(rig.port, {
        method: "OPTIONS",
        headers: { origin: "https://shop.example", "access-control-request-method": "POST" },
      });
      assert.equal(preflight.headers["access-control-allow-headers"], "content-type,x-grpc-web,grpc-timeout");
      const reply = await call(rig.port, { body: "", headers: { origin: "https://shop.example" } });
      assert.equal(reply.headers["access-control-allow-origin"], "https://shop.example");
      assert.match(String(reply.headers["access-control-expose-headers"]), /grpc-status/);
    });
  });
