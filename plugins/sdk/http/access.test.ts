// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { endpointUrl, httpAccessFaults, httpAccessHeaders } from "./access.ts";

const URL_ = "https://logs.example.com/in";

describe("the HTTP access of a configuration", () => {
  const wrongs: readonly (readonly [string, object, RegExp])[] = [
    ["no URL", { url: "logs.example.com" }, /^url must begin with http:\/\//],
    ["another protocol", { url: "ftp://logs.example.com" }, /^url must begin with http:\/\//],
    ["a user in the URL", { url: "https://ada:secret@logs.example.com" }, /^url may not hold a user/],
    ["a fragment", { url: "https://logs.example.com/#top" }, /fragment/],
    ["a token and a user", { token: "t", username: "ada", password: "p" }, /either token, or username/],
    ["a user without a password", { username: "ada" }, /need each other/],
    ["a password without a user", { password: "secret" }, /need each other/],
    ["a colon in the user", { username: "a:b", password: "p" }, /colon/],
    ["a line break in the token", { token: "secret\r\nx: y" }, /token must be ASCII/],
    ["a header that the adapter writes", { headers: { "X-Own": "a" } }, /writes the header x-own itself/],
    ["a content type", { headers: { "Content-Type": "a" } }, /writes the header content-type itself/],
    ["two authorizations", { token: "t", headers: { Authorization: "a" } }, /header authorization itself/],
    ["a header twice", { headers: { "X-A": "a", "x-a": "b" } }, /headers has x-a twice/],
    ["a header name with a space", { headers: { "x a": "a" } }, /./],
    ["a line break in a header", { headers: { "x-a": "secret\r\nx: y" } }, /x-a may have printable ASCII/],
    ["a framing header", { headers: { "Content-Length": "1" } }, /content-length/],
    ["a header beyond ASCII", { headers: { "x-a": "sëcret" } }, /x-a may have printable ASCII/],
  ];
  for (const [what, changes, expected] of wrongs)
    it(`finds ${what}, and shows no secret`, () => {
      const faults = httpAccessFaults({ url: URL_, headers: {}, ...changes }, ["x-own"]);
      assert.equal(faults.length, 1, JSON.stringify(faults));
      assert.match(faults[0]?.message ?? "", expected);
      assert.doesNotMatch(faults[0]?.message ?? "", /secret/);
    });

  it("writes the headers of a token, of a user in UTF-8, and of neither", () => {
    assert.deepEqual(httpAccessHeaders({ headers: { "X-A": "1" }, token: "t" }), {
      "x-a": "1",
      authorization: "Bearer t",
    });
    const basic = httpAccessHeaders({ headers: {}, username: "zoë", password: "päss:word" });
    assert.equal(basic["authorization"], `Basic ${Buffer.from("zoë:päss:word", "utf8").toString("base64")}`);
    assert.deepEqual(httpAccessHeaders({ headers: {} }), {});
    assert.deepEqual(httpAccessFaults({ url: URL_, headers: { authorization: "Key 1" } }), []);
  });

  it("puts an endpoint below a URL's path, and keeps the query", () => {
    assert.equal(endpointUrl("http://loki:3100", "/api/push"), "http://loki:3100/api/push");
    assert.equal(endpointUrl("http://loki:3100/", "/api/push"), "http://loki:3100/api/push");
    assert.equal(endpointUrl("http://logs/insert/?a=b", "/api/push"), "http://logs/insert/api/push?a=b");
  });
});
