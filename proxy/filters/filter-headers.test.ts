// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { NO_HEADER_OPERATIONS } from "../../core/traffic/resources/route.ts";
import { ALLOW, call, cleanUp, raw, startWith } from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";
import type { CheckResult } from "../policy/check-result.ts";

const TEXT = "José Łukasz 日本 🦀";
/** Decodes a header value from node:http (Latin-1) as UTF-8. */
const utf8 = (value: unknown): string => Buffer.from(String(value), "latin1").toString();

const reply = (httpStatus: number, headers: Record<string, string> = {}): CheckResult => ({
  ...ALLOW,
  directResponse: { httpStatus, headers, body: "hi" },
});

describeTransports("headers that documents write, on the wire", () => {
  afterEach(cleanUp);

  it("are sent as UTF-8 from policies and routes, in requests and responses", async () => {
    const seen: unknown[] = [];
    const operations = { ...NO_HEADER_OPERATIONS, set: { "x-route": TEXT } };
    const { port, policy } = await startWith(
      ({ headers }, outgoing) => {
        seen.push(utf8(headers["x-policy"]), utf8(headers["x-route"]));
        outgoing.end();
      },
      { route: { requestHeaders: operations, responseHeaders: operations } },
    );
    const set = [{ operation: "set", name: "x-policy", value: TEXT }] as const;
    policy.decide = () => ({ ...ALLOW, requestHeaders: set, responseHeaders: set });
    const { headers } = await call(port);
    assert.deepEqual(seen, [TEXT, TEXT]);
    assert.deepEqual([utf8(headers["x-policy"]), utf8(headers["x-route"])], [TEXT, TEXT]);
    policy.decide = () => reply(200, { "x-direct": TEXT });
    assert.equal(utf8((await call(port)).headers["x-direct"]), TEXT);
  });

  it("never duplicate a single-valued field", async () => {
    const { port, policy } = await startWith((_incoming, outgoing) => {
      outgoing.setHeader("content-type", "text/plain");
      outgoing.end("hi");
    });
    const types = async (): Promise<readonly string[]> => {
      const { rawHeaders } = await call(port);
      return rawHeaders.filter((_, at) => rawHeaders[at - 1]?.toLowerCase() === "content-type");
    };
    const responseHeaders = [{ operation: "append", name: "content-type", value: "text/html" }] as const;
    policy.decide = () => ({ ...ALLOW, responseHeaders });
    assert.deepEqual(await types(), ["text/html"]);
    policy.decide = () => reply(200, { "Content-Type": "text/css" });
    assert.deepEqual(await types(), ["text/css"]);
    policy.decide = () => ({ ...reply(200, { "content-type": "text/css" }), responseHeaders });
    assert.deepEqual(await types(), ["text/html"]);
  });

  for (const [status, body] of [
    [200, "hi"],
    [204, ""],
    [205, ""],
    [304, ""],
    [403, "hi"],
  ] as const)
    it(`a direct response of ${status} has the body ${JSON.stringify(body)} and keeps the connection alive`, async () => {
      const { port, policy } = await startWith((_incoming, outgoing) => outgoing.end());
      policy.decide = () => reply(status);
      const twice = await raw(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(2));
      const [, first = "", second = ""] = twice.split("HTTP/1.1 ");
      for (const message of [first, second]) {
        const [head = "", content] = message.split("\r\n\r\n");
        assert.equal(head.slice(0, 3), String(status));
        assert.equal(content, body);
        assert.equal(/content-type/i.test(head), body !== "");
        const length = /content-length: (\d+)/i.exec(head)?.[1];
        assert.equal(length, status === 204 || status === 304 ? undefined : String(body.length));
      }
    });

  it("from another process, unchecked, cannot break the error reply", async () => {
    const { port, policy } = await startWith((_incoming, outgoing) => outgoing.end());
    policy.decide = () => reply(200, { "x-a": "a\nb" });
    const answer = await raw(port, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 500 Internal Server Error\r\n/);
  });
});
