// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type {
  AdapterHandler,
  AuthorizationInstance,
  CheckAnswer,
  PurserError,
} from "../../plugins/sdk/index.ts";
import {
  type BackendScript,
  createRealTime,
  createTestContext,
  createVirtualTime,
  describeAdapterContract,
  type TestContext,
  type TestTime,
} from "../../plugins/sdk/testing/index.ts";
import { opa } from "./index.ts";

const answering =
  (status: string): BackendScript =>
  (socket) =>
    void socket.once("data", () =>
      socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`),
    );

describeAdapterContract(opa, {
  backend: {
    config: ({ host, port }) => ({ url: `http://${host}:${port}`, path: "authz/allow" }),
    retryable: answering("503 Service Unavailable"),
    permanent: answering("401 Unauthorized"),
  },
});

const INSTANCE: AuthorizationInstance = {
  name: "who-does-what",
  subject: { user: "ada", groups: '["staff","Zoë 🛳️"]', properties: { age: 36 } },
  action: { service: "reviews", method: "GET", path: "/reviews/0", properties: {} },
};

const REFUSED = { code: "PERMISSION_DENIED", message: "refused by policy" };
const VALIDITY = { validDurationMs: 10_000, validUseCount: 10_000 };

describe("the adapter opa", () => {
  let server: Server;
  let url: string;
  let reply: (request: IncomingMessage, response: ServerResponse, body: string) => void;
  let received = 0;
  let handler: AdapterHandler | undefined;
  let context: TestContext<unknown, TestTime> | undefined;

  before(async () => {
    server = createServer((request, response) => {
      received++;
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => reply(request, response, Buffer.concat(chunks).toString()));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => (received = 0));
  afterEach(async () => {
    await handler?.close();
    await context?.http.close();
    [handler, context] = [undefined, undefined];
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  const build = (config: Readonly<Record<string, unknown>> = {}, time: TestTime = createRealTime()): void => {
    context = createTestContext(opa, { url, path: "authz/decision", ...config }, { time });
    handler = opa.build(context as Parameters<typeof opa.build>[0]);
  };
  const ask = async (
    instance = INSTANCE,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<CheckAnswer> => (await handler?.authorization?.(instance, { signal })) as CheckAnswer;
  const failure = (call = ask()): Promise<PurserError> =>
    call.then(
      (answer) => assert.fail(`it answered ${JSON.stringify(answer)}`),
      (error: unknown) => error as PurserError,
    );
  const answer = (body: unknown, status = 200): void => {
    reply = (_request, response) =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const answerTo = async (result: unknown, config = {}): Promise<CheckAnswer> => {
    answer({ result });
    build(config);
    return await ask();
  };

  it("posts subject and action as input, with the token, below the base URL", async () => {
    let seen: Record<string, unknown> = {};
    reply = (request, response, body) => {
      const { url: path, method, headers } = request;
      seen = { path, method, authorization: headers.authorization, body: JSON.parse(body) as unknown };
      response.end('{"result":true}');
    };
    build({ url: `${url}/opa/`, path: "tenant ü/allow", token: "s3cret" });
    await ask();
    assert.deepEqual(seen, {
      path: "/opa/v1/data/tenant%20%C3%BC/allow",
      method: "POST",
      authorization: "Bearer s3cret",
      body: { input: { subject: INSTANCE.subject, action: INSTANCE.action } },
    });
  });

  it("takes true, false and an object", async () => {
    const ok = { status: { code: "OK", message: "" }, ...VALIDITY };
    assert.deepEqual(await answerTo(true), ok);
    assert.deepEqual(await answerTo({ allow: true, http_status: 200, other_rule: [1] }), ok);
    assert.deepEqual(await answerTo(false), { status: REFUSED, ...VALIDITY });
    assert.deepEqual(await answerTo({ allow: false, reason: "not yours", message: "no" }), {
      status: { code: "PERMISSION_DENIED", message: "not yours" },
      ...VALIDITY,
    });
  });

  it("uses the configured status and validity, and the result's own validity before it", async () => {
    const config = {
      status: { code: "NOT_FOUND", message: "no such page" },
      validDuration: "1m",
      validUseCount: 7,
    };
    assert.deepEqual(await answerTo(false, config), {
      status: config.status,
      validDurationMs: 60_000,
      validUseCount: 7,
    });
    const { validDurationMs } = await answerTo({ allow: true, valid_duration: "0s" }, config);
    assert.equal(validDurationMs, 0);
  });

  it("sets headers on the request that it allows, and on the reply to the one that it refuses", async () => {
    const headers = { "X-Tier": "gold", "x-name": "Zoë" };
    const operations = [
      { operation: "set", name: "x-tier", value: "gold" },
      { operation: "set", name: "x-name", value: "Zoë" },
    ];
    assert.deepEqual((await answerTo({ allow: true, headers })).headers, { request: operations });
    assert.deepEqual((await answerTo({ allow: false, headers })).headers, { response: operations });
  });

  it("replies with http_status, headers and the message to a refused request", async () => {
    const headers = { Location: "https://login.example.com/" };
    assert.deepEqual(await answerTo({ allow: false, http_status: 302, headers, message: "log in" }), {
      status: { code: "PERMISSION_DENIED", message: "log in" },
      ...VALIDITY,
      directResponse: {
        httpStatus: 302,
        headers: { location: "https://login.example.com/" },
        body: "log in",
      },
    });
    assert.equal((await answerTo({ allow: false, http_status: 401 })).status.code, "UNAUTHENTICATED");
  });

  it("cuts a long message, between characters", async () => {
    const { status } = await answerTo({ allow: false, reason: "🛳".repeat(2_000) });
    assert.equal(status.message, `${"🛳".repeat(500)}…`);
  });

  it("refuses when the result is undefined, or fails when configured so", async () => {
    for (const body of [{}, { decision_id: "d1" }, { result: {} }, { result: { helper: 1 } }]) {
      answer(body);
      build();
      assert.deepEqual(await ask(), { status: REFUSED, ...VALIDITY });
      build({ undefined: "error" });
      const error = await failure();
      assert.equal(`${error.code} ${error.retryable}`, "PURSER_HANDLER_FAILED false");
      assert.match(error.message, /data\.authz\.decision is undefined/);
    }
  });

  const malformed: readonly (readonly [unknown, RegExp])[] = [
    [null, /the result is null/],
    ["true", /the result is text, not a boolean or an object/],
    [1, /the result is a number/],
    [[true], /the result is an array/],
    [{ allow: "yes" }, /allow is text, not a boolean/],
    [{ allow: null }, /allow is null/],
    [{ allow: false, reason: 1 }, /reason is a number, not text/],
    [{ allow: false, http_status: 200 }, /http_status is 200, not a whole number from 300 to 599/],
    [{ allow: false, http_status: 403.5 }, /http_status is 403.5/],
    [{ allow: false, http_status: "403" }, /http_status is text/],
    [{ allow: true, headers: ["a"] }, /headers is an array/],
    [{ allow: true, headers: { "x-a": 1 } }, /the header x-a is a number, not text/],
    [{ allow: true, headers: { "content-length": "1" } }, /may not change the header content-length/],
    [{ allow: true, headers: { "x-a": "1\r\nx-admin: 1" } }, /The value of x-a has a line break/],
    [{ allow: true, valid_duration: 30 }, /valid_duration is not a duration such as 30s/],
    [{ allow: true, valid_duration: "soon" }, /valid_duration is not a duration/],
  ];
  for (const [result, expected] of malformed)
    it(`fails for the result ${JSON.stringify(result)}, which allows nothing`, async () => {
      answer({ result });
      build();
      const error = await failure();
      assert.equal(`${error.code} ${error.retryable}`, "PURSER_HANDLER_FAILED false");
      assert.match(error.message, expected);
    });

  it("fails, retryably, when the answer is not a JSON object", async () => {
    for (const text of ["[]", "true", "null", "<html>", ""]) {
      reply = (_request, response) => void response.end(text);
      build();
      const error = await failure();
      assert.equal(`${error.code} ${error.retryable}`, "PURSER_HANDLER_FAILED true", text);
    }
  });

  it("logs each decision's id at debug, and no input", async () => {
    answer({ decision_id: "4ca636c1-55e4-417a", result: true });
    build();
    await ask();
    const lines = context?.logger.lines ?? [];
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, fields]),
      [["debug", { path: "authz/decision", decisionId: "4ca636c1-55e4-417a", code: "OK" }]],
    );
  });

  it("stops calling an unavailable OPA for a while, and notices when it is back", async () => {
    const time = createVirtualTime();
    answer({}, 503);
    build({}, time);
    for (let call = 0; call < 5; call++) await failure();
    const error = await failure();
    assert.equal(`${error.code} ${error.retryable}`, "PURSER_HANDLER_FAILED true");
    assert.match(error.message, /^OPA at http:\/\/127\.0\.0\.1:\d+ is not called after several failures$/);
    assert.equal(received, 5);
    answer({ result: true });
    time.advance(500);
    assert.equal((await ask()).status.code, "OK");
    assert.equal((await ask()).status.code, "OK");
  });

  it("keeps calling when the policy fails: input must not cut off other requests", async () => {
    answer({ code: "internal_error", message: "error(s) occurred while evaluating query" }, 500);
    build();
    for (let call = 0; call < 20; call++) {
      const { code, retryable, message } = await failure();
      assert.equal(`${code} ${retryable}`, "PURSER_HANDLER_FAILED true");
      assert.match(message, /the server answered 500: .*occurred while evaluating/);
    }
    assert.equal(received, 20);
  });

  it("has no more than maxConcurrent calls under way, and ends each with its signal", async () => {
    reply = () => {};
    build({ maxConcurrent: 3 });
    const deadline = new AbortController();
    const waiting = [1, 2, 3].map(() => failure(ask(INSTANCE, deadline.signal)));
    assert.match((await failure()).message, /has 3 calls under way/);
    deadline.abort();
    for (const { code } of await Promise.all(waiting)) assert.equal(code, "PURSER_HANDLER_TIMEOUT");
    answer({ result: true });
    assert.equal((await ask()).status.code, "OK");
  });

  it("reports OPA's health, and stops asking when it is closed", async () => {
    let path: string | undefined;
    reply = (request, response) => {
      path = request.url;
      response.end("{}");
    };
    build();
    assert.equal(await handler?.healthy?.(), true);
    assert.equal(path, "/health");
    answer({}, 500);
    assert.equal(await handler?.healthy?.(), false);
    reply = () => {};
    const hanging = handler?.healthy?.();
    await handler?.close();
    assert.equal(await hanging, false);
  });

  it("refuses a configuration that cannot be meant", () => {
    const cases: readonly (readonly [Record<string, unknown>, RegExp])[] = [
      [{ url: "opa:8181" }, /url: url is not an http or https URL/],
      [{ url: "http://" }, /url: url is not an http or https URL/],
      [{ url: "http://ada:s3cret@opa" }, /url: url has a user or password: use token/],
      [{ url: "http://opa/?pretty" }, /url: url has a query or fragment/],
      [{ path: "/authz/allow" }, /path: .* has an empty part/],
      [{ path: "authz/../../config" }, /path: .* has the part "\.\."/],
      [{ path: "a\ud800" }, /path: path has half of a surrogate pair/],
      [{ validDuration: "soon" }, /validDuration/],
      [{ status: { code: "OK" } }, /status\.code/],
    ];
    for (const [config, expected] of cases)
      assert.throws(
        () => build(config),
        (error: Error) => {
          assert.match(error.message, expected);
          assert.ok(!error.message.includes("s3cret"));
          return true;
        },
      );
  });
});
