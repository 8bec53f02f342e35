// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { RouteMatch } from "../../core/traffic/resources/route.ts";
import type { PathNormalization } from "../../kernel/canonical/path.ts";
import { call, cleanUp, startWith } from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";

const ANY_MATCH: RouteMatch = { ignoreCase: false, headers: {}, withoutHeaders: {}, queryParams: {} };

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

  it("answers 400 for dot segments that the parts make together, which would leave the new path", async () => {
    const { port } = await start("^/files/?(.*)-(.*)$", "/public/\\1\\2");
    for (const path of ["/files/.-./etc", "/files../-etc", "/files./-etc", "/files..;/-etc"]) {
      const reply = await call(port, { path });
      assert.deepEqual([path, reply.status], [path, 400]);
    }
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

describeTransports("a rewrite of a prefix", () => {
  afterEach(cleanUp);

  it("answers 400 for a path that leaves the new prefix by a dot segment where its parts meet", async () => {
    const { port } = await startWith((incoming, outgoing) => outgoing.end(incoming.url), {
      action: { rewrite: { path: { kind: "prefix", value: "/public/" } } },
      route: { matches: [{ ...ANY_MATCH, path: { kind: "prefix", value: "/files" } }] },
    });
    assert.equal((await call(port, { path: "/files/a" })).body, "/public/a");
    assert.equal((await call(port, { path: "/files..a" })).body, "/public/..a");
    for (const path of [
      "/files../etc",
      "/files..",
      "/files./etc",
      "/files..;/etc",
      "/files%2e%2e/etc",
      "/files..\\etc",
    ]) {
      const reply = await call(port, { path });
      assert.deepEqual([path, reply.status], [path, 400]);
      assert.equal(reply.headers["x-purser-error"], "PURSER_PROXY_REWRITE");
    }
  });

  it("leaves paths as they are without normalization", async () => {
    const { port } = await startWith((incoming, outgoing) => outgoing.end(incoming.url), {
      action: { rewrite: { path: { kind: "prefix", value: "/v1" } } },
      listener: { pathNormalization: "NONE" },
    });
    assert.equal((await call(port, { path: "/a/../b" })).body, "/v1/a/../b");
  });
});
