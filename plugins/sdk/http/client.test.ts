// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isPurserError, type PurserError } from "../../../kernel/errors.ts";
import { MISBEHAVIOURS, refusingAddress, startFakeBackend } from "../testing/fake-backend.ts";
import { createRealTime } from "../testing/time.ts";
import { createHttpClient } from "./client.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

describe("the HTTP client of extensions", () => {
  const client = createHttpClient(createRealTime().clock);
  const never = new AbortController();
  let server: Server;
  let url: string;
  let answer: Answer = (_, response) => void response.end();

  before(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => answer(request, response, Buffer.concat(chunks).toString()));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in?x=1`;
  });

  after(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const failureOf = async (call: Promise<unknown>): Promise<PurserError> => {
    const error = await call.then(
      () => assert.fail("it did not reject"),
      (thrown: unknown) => thrown,
    );
    assert.ok(isPurserError(error), String(error));
    return error;
  };

  it("posts JSON, with the URL's user as authorization, and reads the answer", async () => {
    answer = (request, response, body) => {
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }),
      );
    };
    const withUser = url.replace("http://", "http://ada:p%40ss@");
    const answered = await client.request({ url: withUser, json: { a: [1n] } }, never);
    const seen = answered.json() as {
      method: string;
      url: string;
      headers: Record<string, string>;
      body: string;
    };
    assert.equal(answered.status, 200);
    assert.equal(`${seen.method} ${seen.url} ${seen.body}`, 'POST /in?x=1 {"a":["1"]}');
    assert.equal(seen.headers["content-type"], "application/json");
    assert.equal(seen.headers["authorization"], `Basic ${Buffer.from("ada:p@ss").toString("base64")}`);
  });

  const expected: readonly (readonly [number, string, boolean])[] = [
    [400, "PURSER_HANDLER_FAILED", false],
    [301, "PURSER_HANDLER_FAILED", false],
    [408, "PURSER_HANDLER_FAILED", true],
    [413, "PURSER_REQUEST_TOO_LARGE", false],
    [425, "PURSER_HANDLER_FAILED", true],
    [429, "PURSER_HANDLER_FAILED", true],
    [500, "PURSER_HANDLER_FAILED", true],
    [501, "PURSER_HANDLER_FAILED", false],
    [503, "PURSER_HANDLER_FAILED", true],
    [505, "PURSER_HANDLER_FAILED", false],
  ];
  for (const [status, code, retryable] of expected)
    it(`rejects a ${status} with ${code}, ${retryable ? "" : "not "}retryable`, async () => {
      answer = (_, response) =>
        void response.writeHead(status, { "content-type": "text/plain" }).end("why\r\nnot");
      const error = await failureOf(client.send({ url, body: "x" }, never));
      assert.equal(`${error.code} ${error.retryable}`, `${code} ${retryable}`);
      assert.equal(error.message, `the server answered ${status}: why not`);
    });

  it("takes a Retry-After in seconds or as a date, and no other", async () => {
    const pauseOf = async (value: string): Promise<unknown> => {
      answer = (_, response) => void response.writeHead(429, { "retry-after": value }).end();
      return (await failureOf(client.send({ url, body: "x" }, never))).details["retryAfterMs"];
    };
    assert.equal(await pauseOf("7"), 7000);
    const pauseMs = (await pauseOf(new Date(Date.now() + 30_000).toUTCString())) as number;
    assert.ok(pauseMs > 25_000 && pauseMs <= 30_000, String(pauseMs));
    assert.equal(await pauseOf("soon"), undefined);
    assert.equal(await pauseOf(new Date(0).toUTCString()), 0);
  });

  it("calls an answer that is not whole a retryable failure", async () => {
    for (const name of ["resets", "answers garbage", "breaks off in the middle"] as const) {
      const backend = await startFakeBackend(MISBEHAVIOURS[name]);
      const place = `http://127.0.0.1:${backend.address.port}`;
      const error = await failureOf(client.request({ url: `${place}/?secret=1` }, never));
      assert.equal(`${name} ${error.code} ${error.retryable}`, `${name} PURSER_HANDLER_FAILED true`);
      assert.ok(error.message.startsWith(`${place} cannot be reached: `), error.message);
      await backend.close();
    }
    const { port } = await refusingAddress();
    assert.match(
      (await failureOf(client.request({ url: `http://localhost:${port}/` }, never))).message,
      /reached: .+/,
    );
  });

  it("ends with the call's deadline", async () => {
    const backend = await startFakeBackend(MISBEHAVIOURS.hangs);
    const call = { signal: AbortSignal.timeout(30) };
    const error = await failureOf(client.request({ url: `http://127.0.0.1:${backend.address.port}/` }, call));
    assert.equal(error.code, "PURSER_HANDLER_TIMEOUT");
    await backend.close();
  });

  it("refuses an answer of more than 4 MiB", async () => {
    answer = (_, response) => void response.end(Buffer.alloc(4 * 1024 * 1024 + 1));
    assert.match((await failureOf(client.request({ url }, never))).message, /larger than 4194304 bytes/);
  });

  it("rejects what is under way when it is closed, and everything after", async () => {
    const backend = await startFakeBackend(MISBEHAVIOURS.hangs);
    const closing = createHttpClient(createRealTime().clock);
    const place = { url: `http://127.0.0.1:${backend.address.port}/` };
    const pending = failureOf(closing.request(place, never));
    while (backend.connections === 0) await new Promise((resolve) => void setTimeout(resolve, 5));
    await closing.close();
    assert.equal((await pending).retryable, false);
    assert.equal((await failureOf(closing.request(place, never))).message, "the handler is closed");
    await backend.close();
  });
});
