// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import fc from "fast-check";
import { BearerTokens, createAccessCheck, type SurfaceAccess } from "./surface-access.ts";

const TOKEN = "0123456789abcdef";
const OTHER = "fedcba9876543210";

function request(headers: IncomingMessage["headers"], socket: object = {}): IncomingMessage {
  return { headers, socket } as unknown as IncomingMessage;
}

function codeOf(access: SurfaceAccess, asked: IncomingMessage, isForwarded = false): string | undefined {
  return createAccessCheck(access)?.(asked, isForwarded)?.code;
}

describe("the access to a control surface", () => {
  const tokens = new BearerTokens([TOKEN, OTHER]);

  it("is open without a condition", () => {
    assert.equal(createAccessCheck(undefined), undefined);
    assert.equal(createAccessCheck({ openMetrics: true }), undefined);
  });

  it("takes any of the tokens, and the scheme in any case", () => {
    for (const authorization of [`Bearer ${TOKEN}`, `bearer ${OTHER}`, `BEARER  ${TOKEN}`])
      assert.equal(codeOf({ tokens }, request({ authorization })), undefined);
  });

  it("refuses every other field", () => {
    const refused = [
      undefined,
      "",
      "Bearer",
      "Bearer ",
      TOKEN,
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN.slice(1)}`,
      `Bearer ${TOKEN}, Bearer ${TOKEN}`,
      `Bearer ${TOKEN} ${TOKEN}`,
      `Bearer ${TOKEN.toUpperCase()}`,
    ];
    for (const authorization of refused) {
      const headers = authorization === undefined ? {} : { authorization };
      assert.equal(codeOf({ tokens }, request(headers)), "PURSER_UNAUTHENTICATED", authorization);
    }
  });

  it("refuses any text that is not a token", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(text !== TOKEN && text !== OTHER);
        assert.equal(tokens.has(text), false);
        assert.equal(tokens.has(TOKEN + text), text === "");
      }),
    );
  });

  it("reads the token of a forwarded request in a field of its own alone", () => {
    const ours = request({ "x-purser-token": TOKEN, authorization: "Bearer of-the-client" });
    assert.equal(codeOf({ tokens }, ours, true), undefined);
    const twice = request({ "x-purser-token": `${TOKEN}, forged` });
    assert.equal(codeOf({ tokens }, twice, true), "PURSER_UNAUTHENTICATED");
    const clients = request({ authorization: `Bearer ${TOKEN}` });
    assert.equal(codeOf({ tokens }, clients, true), "PURSER_UNAUTHENTICATED");
  });

  it("forgets tokens that are replaced", () => {
    const changing = new BearerTokens([TOKEN]);
    changing.replace([OTHER]);
    assert.deepEqual([changing.has(TOKEN), changing.has(OTHER)], [false, true]);
  });

  it("needs each of its conditions", () => {
    const both = { tokens, clientCertificates: true };
    const authorization = `Bearer ${TOKEN}`;
    assert.equal(codeOf(both, request({ authorization }, { authorized: true })), undefined);
    assert.equal(codeOf(both, request({ authorization }, { authorized: false })), "PURSER_UNAUTHENTICATED");
    assert.equal(codeOf(both, request({ authorization })), "PURSER_UNAUTHENTICATED");
    assert.equal(codeOf(both, request({}, { authorized: true })), "PURSER_UNAUTHENTICATED");
  });
});
