// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { PathNormalization } from "../../kernel/canonical/path.ts";
import { call, cleanUp, startWith } from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";

describeTransports("a rewrite by a regular expression", () => {
  afterEach(cleanUp);

  const start = (
    pattern: string,
    substitution: string,
    more: { readonly authority?: string; readonly pathNormalization?: PathNormalization } = {},
  ) => {
    const { authority, ...listener } = more;
    const path = { kind: "regex", pattern, substitution } as const;
    return startWith((incoming, outgoing) => outgoing.end(`${incoming.headers.host} ${incoming.url}`), {
      action: { rewrite: authority === undefined ? { path } : { path, authority } },
      listener,
    });
  };

  it("replaces every match in the path, and keeps the query", async () => {
    const { port } = await start("/user/([^/]+)", "/\\1", { authority: "inner" });
    const reply = await call(port, { path: "/user/ada/user/bob?x=/user/eve" });
    assert.equal(reply.body, "inner /ada/bob?x=/user/eve");
    assert.equal((await call(port, { path: "/other" })).body, "inner /other");
  });

  it("forwards the canonical form of the result, as policies would have seen it from a client", async () => {
    const { port } = await start("^/a/(.*)$", "/x/\\1/y");
    const cases: readonly (readonly [path: string, expected: string])[] = [
      ["/a//b", "/x/b/y"],
      ["/a/", "/x/y"],
      ["/a/%7Eb", "/x/~b/y"],
    ];
    for (const [path, expected] of cases)
      assert.equal((await call(port, { path, headers: { host: "h" } })).body, `h ${expected}`);
  });

  it("resolves dot segments that the parts make together", async () => {
    const { port } = await start("^/files/(.*)-(.*)$", "/public/\\1\\2");
    assert.equal((await call(port, { path: "/files/.-./etc", headers: { host: "h" } })).body, "h /etc");
  });

  it("answers 400 for a result that cannot be forwarded", async () => {
    const cases = [
      ["^/(.*)$", "\\1", "/relative"],
      ["^/(.*)$", "", "/a"],
      ["^/(.*)-(.*)$", "/\\1\\2", "/..-;/a"],
      ["a", "a".repeat(1_000), `/${"a".repeat(100)}`],
    ] as const;
    for (const [pattern, substitution, path] of cases) {
      const { port, policy } = await start(pattern, substitution);
      const reply = await call(port, { path });
      assert.equal(reply.status, 400, path);
      assert.equal(reply.headers["x-purser-error"], "PURSER_PROXY_REWRITE");
      assert.equal(policy.checks.length, 1);
    }
  });

  it("answers 431 for a path that takes the expression too long", async () => {
    const { port } = await start("a", "b");
    const before = performance.now();
    const reply = await call(port, { path: `/${"a".repeat(10_000)}` });
    assert.equal(reply.status, 431);
    assert.equal(reply.headers["x-purser-error"], "PURSER_PROXY_MATCH_TOO_LONG");
    assert.ok(performance.now() - before < 500);
  });

  it("never forwards a path that the proxy would not have accepted", async () => {
    const { port } = await start("[-_]", "");
    const part = fc.constantFrom("/", ".", "-", "_", "%2", "%25", "e", "2F", "f", ";", "a", "5c");
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 10 }), async (parts) => {
        const { status, body } = await call(port, { path: `/${parts.join("")}`, headers: { host: "h" } });
        if (status !== 200) return assert.equal(status, 400);
        const path = body.slice(2);
        assert.match(path, /^\//);
        assert.doesNotMatch(path, /\/\/|\/\.\.?(?:\/|;|$)|%2e/i);
      }),
      { numRuns: 200 },
    );
  });
});
