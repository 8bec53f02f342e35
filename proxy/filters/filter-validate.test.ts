// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { cleanUp, groupOf, raw, startWith } from "../testing/harness.test.ts";

describe("the validate filter", () => {
  afterEach(cleanUp);

  it("writes the method in upper case, for policies, routes and the upstream alike", async () => {
    let seen = "";
    const isDelete = { kind: "exact", value: "DELETE" } as const;
    const { port, policy } = await startWith(
      (incoming, outgoing) => {
        seen = incoming.method ?? "";
        outgoing.end();
      },
      {
        route: {
          matches: [
            { ignoreCase: false, method: isDelete, headers: {}, withoutHeaders: {}, queryParams: {} },
          ],
        },
      },
    );
    for (const method of ["DELETE", "delete", "dElEtE"]) {
      seen = "";
      policy.checks.length = 0;
      const reply = await raw(port, `${method} / HTTP/1.1\r\nhost: a\r\n\r\n`);
      assert.match(reply, /^HTTP\/1\.1 200 /, method);
      assert.equal(groupOf(policy.checks, "request")["method"], "DELETE");
      assert.equal(seen, "DELETE");
    }
  });

  it("refuses a method in lower case that frames the response", async () => {
    const { port, policy } = await startWith((_incoming, outgoing) => outgoing.end());
    for (const method of ["head", "Head", "hEAD"]) {
      const reply = await raw(port, `${method} / HTTP/1.1\r\nhost: a\r\n\r\n`);
      assert.match(reply, /^HTTP\/1\.1 400 [^]*The method HEAD must be in upper case/, method);
    }
    assert.match(await raw(port, "connect a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n"), /^HTTP\/1\.1 400 /);
    assert.equal(policy.checks.length, 0);
  });

  it("forwards OPTIONS * to the upstream of a route without a condition on the path", async () => {
    const seen: string[] = [];
    const anyPath = { ignoreCase: false, headers: {}, withoutHeaders: {}, queryParams: {} };
    const ask = async (path: string | undefined) => {
      const matches =
        path === undefined ? [] : [{ ...anyPath, path: { kind: "prefix" as const, value: path } }];
      const { port, policy } = await startWith(
        (incoming, outgoing) => {
          seen.push(`${incoming.method} ${incoming.url}`);
          outgoing.writeHead(204, { allow: "GET" }).end();
        },
        { route: { matches }, action: { rewrite: { path: { kind: "prefix", value: "/v1/" } } } },
      );
      const reply = await raw(port, "OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
      return { status: reply.slice(0, 12), path: groupOf(policy.checks, "request")["url_path"] };
    };
    assert.deepEqual(await ask(undefined), { status: "HTTP/1.1 204", path: "*" });
    assert.deepEqual(seen, ["OPTIONS *"], "a rewrite leaves it as it is");
    assert.equal((await ask("/")).status, "HTTP/1.1 404");
  });
});
