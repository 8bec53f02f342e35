// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { type Config, faultsOf } from "./config.ts";
import { targetOf, topologyText } from "./target.ts";

const config = (fields: Partial<Config>): Config => ({ keyPrefix: "{q}", timeout: "100ms", ...fields });
const placesOf = (fields: Partial<Config>): readonly string[] =>
  faultsOf(config(fields)).map(({ path }) => path.join("."));

describe("the address of Redis", () => {
  const WRONG: readonly (readonly [string, RegExp])[] = [
    ["unix:///tmp/r.sock", /not of the form redis:\/\//],
    ["redis:127.0.0.1", /not of the form/],
    ["http://127.0.0.1", /not of the form/],
    ["127.0.0.1:6379", /not of the form/],
    ["redis://[::1", /not of the form/],
    ["redis://:a%b@127.0.0.1:6379", /write %25/],
    ["redis://:%ff@127.0.0.1", /write %25/],
    ["redis://127.0.0.1:6379?password=x", /has a query/],
    ["rediss://127.0.0.1:6379/0?ssl_cert_reqs=none", /has a query/],
    ["redis://127.0.0.1?", /has a query/],
    ["redis://127.0.0.1/0#1", /has a #/],
    ["redis://127.0.0.1/db", /not the number of a database/],
    ["redis://127.0.0.1/0/1", /not the number of a database/],
    ["redis://127.0.0.1/-1", /not the number of a database/],
    ["redis://127.0.0.1:0", /port 0/],
    ["redis://user@127.0.0.1", /user without a password/],
    ["redis://a%20b", /host name with %/],
  ];
  for (const [url, message] of WRONG) {
    it(`is refused in the form ${url}`, () => {
      const [fault, ...others] = faultsOf(config({ url }));
      assert.deepEqual([fault?.path, others], [["url"], []]);
      assert.match(fault?.message ?? "", message);
    });
  }

  it("is refused when it is given twice or incomplete", () => {
    assert.deepEqual(placesOf({ url: "redis://a", port: 5, tls: false }), ["port", "tls"]);
    assert.deepEqual(placesOf({ username: "ann" }), ["username"]);
    assert.deepEqual(placesOf({ username: "ann", password: "x" }), []);
    assert.deepEqual(placesOf({ timeout: "0s" }), ["timeout"]);
    assert.deepEqual(placesOf({}), []);
  });

  it("has every part of a url, or the url is refused", () => {
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 6 });
    const parts = fc.record({
      login: fc.option(fc.tuple(fc.option(text), text)),
      host: fc.constantFrom("127.0.0.1", "[::1]", "redis", "cache.example.com"),
      port: fc.option(fc.integer({ min: 1, max: 65_535 })),
      db: fc.option(fc.nat(100)),
      tls: fc.boolean(),
      more: fc.option(fc.constantFrom("?tls=no", "#x", "/x", "?", "?db=1")),
    });
    fc.assert(
      fc.property(parts, ({ login, host, port, db, tls, more }) => {
        const user =
          login === null ? "" : `${encodeURIComponent(login[0] ?? "")}:${encodeURIComponent(login[1])}@`;
        const url = `${tls ? "rediss" : "redis"}://${user}${host}${port === null ? "" : `:${port}`}${db === null ? "" : `/${db}`}${more ?? ""}`;
        const faults = faultsOf(config({ url }));
        if (more !== null) return assert.equal(faults.length, 1, url);
        assert.deepEqual(faults, []);
        assert.deepEqual(targetOf(config({ url })), {
          topology: {
            kind: "server",
            address: { host: host.replace(/[[\]]/g, ""), port: port ?? 6379 },
          },
          credentials: { username: login?.[0] ?? undefined, password: login?.[1] },
          db: db ?? 0,
          tls,
          timeoutMs: 100,
        });
      }),
    );
  });

  it("never throws for any text, and shows no part of it", () => {
    const secret = "s3cr3t-s3cr3t";
    const around = fc.constantFrom(
      "redis://:",
      "rediss://u:",
      "redis:",
      "",
      "x://:",
      "redis://h/",
      "redis://h?p=",
    );
    fc.assert(
      fc.property(around, fc.string({ unit: "binary", maxLength: 10 }), (before, after) => {
        const fields = config({ url: `${before}${secret}${after}` });
        const faults = faultsOf(fields);
        for (const { message } of faults) assert.ok(!message.includes(secret), message);
        if (faults.length === 0) targetOf(fields);
      }),
    );
  });
});

describe("the topology of Redis", () => {
  const seeds = [{ host: "a", port: 6379 }];
  const sentinels = [{ host: "s", port: 26379 }];

  it("is one server, the primary that Sentinels name, or a cluster", () => {
    assert.deepEqual(targetOf(config({})).topology, {
      kind: "server",
      address: { host: "127.0.0.1", port: 6379 },
    });
    const named = config({ sentinels, master: "m", sentinelUsername: "u", sentinelPassword: "p", db: 2 });
    assert.deepEqual(
      [faultsOf(named), targetOf(named).topology, targetOf(named).db],
      [[], { kind: "sentinel", sentinels, master: "m", credentials: { username: "u", password: "p" } }, 2],
    );
    const cluster = config({ cluster: seeds, db: 0, username: "u", password: "p" });
    assert.deepEqual(
      [faultsOf(cluster), targetOf(cluster).topology],
      [[], { kind: "cluster", seeds, shards: 16 }],
    );
    assert.deepEqual(targetOf(config({ cluster: seeds, shards: 3 })).topology, {
      kind: "cluster",
      seeds,
      shards: 3,
    });
  });

  it("is told in messages", () => {
    assert.equal(topologyText(targetOf(config({ host: "::1" })).topology), "[::1]:6379");
    assert.equal(
      topologyText(targetOf(config({ sentinels, master: "m" })).topology),
      "m of the Sentinels s:26379",
    );
    assert.equal(topologyText(targetOf(config({ cluster: seeds })).topology), "the cluster of a:6379");
  });

  const MIXTURES: readonly (readonly [Partial<Config>, readonly string[]])[] = [
    [{ cluster: seeds, host: "a", port: 1 }, ["host", "port"]],
    [{ cluster: seeds, url: "redis://a" }, ["url"]],
    [{ sentinels, master: "m", host: "a" }, ["host"]],
    [{ sentinels, master: "m", cluster: seeds }, ["cluster"]],
    [{ sentinels }, ["sentinels"]],
    [{ master: "m", sentinelPassword: "p" }, ["master", "sentinelPassword"]],
    [{ sentinels, master: "m", sentinelUsername: "u" }, ["sentinelUsername"]],
    [{ sentinels, master: "m", sentinelPassword: "\ud800" }, ["sentinelPassword"]],
    [{ sentinels, master: "m", shards: 4 }, ["shards"]],
    [{ shards: 4 }, ["shards"]],
    [{ cluster: seeds, db: 1 }, ["db"]],
    [{ caFile: "ca.pem", serverName: "a" }, ["caFile", "serverName"]],
    [{ url: "redis://a", certFile: "c.pem", keyFile: "k.pem" }, ["certFile", "keyFile"]],
    [{ tls: true, certFile: "c.pem" }, ["certFile"]],
    [{ url: "rediss://a", keyFile: "k.pem" }, ["keyFile"]],
    [{ url: "rediss://a", caFile: "ca.pem", certFile: "c.pem", keyFile: "k.pem" }, []],
  ];
  for (const [fields, places] of MIXTURES) {
    it(`has faults at [${places.join(", ")}] with ${JSON.stringify(fields)}`, () =>
      assert.deepEqual(placesOf(fields), places));
  }
});
