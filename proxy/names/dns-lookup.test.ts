// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { withDeadline } from "../../kernel/deadline.ts";
import { type DnsAnswer, type DnsServer, startDnsServer } from "../../test/support/dns-server.ts";
import { type MeshFolder, meshFolder } from "../../test/support/mesh-folder.ts";
import { scheduler } from "../testing/harness.test.ts";
import { createDnsLookup } from "./dns-lookup.ts";
import { parseHostsFile } from "./hosts-file.ts";
import type { NameAnswer } from "./name-lookup.ts";
import { candidatesOf, parseSearchList } from "./search-list.ts";

describe("a lookup by DNS", () => {
  let server: DnsServer;
  let folder: MeshFolder;
  let answers: Record<string, DnsAnswer>;

  beforeEach(async () => {
    answers = {};
    server = await startDnsServer((name, type) => answers[`${type} ${name}`] ?? "nxdomain");
    folder = meshFolder({ hosts: "", "resolv.conf": "" });
  });
  afterEach(async () => {
    await server.close();
    folder.remove();
  });

  async function lookUp(name: string, deadlineMs = 5_000, timeoutMs = 200): Promise<NameAnswer> {
    const look = createDnsLookup({
      servers: [server.address],
      hostsFile: `${folder.path}/hosts`,
      resolvConf: `${folder.path}/resolv.conf`,
      timeoutMs,
    });
    return withDeadline(
      scheduler,
      deadlineMs,
      (call) => look(name, call),
      () => new Error("too late"),
    );
  }

  it("gives all addresses in the order of the answer, and the TTL", async () => {
    answers["A db.example.com"] = { addresses: ["10.0.0.2", "10.0.0.1"], ttl: 30 };
    assert.deepEqual(await lookUp("db.example.com"), { addresses: ["10.0.0.2", "10.0.0.1"], ttlMs: 30_000 });
    assert.deepEqual(server.queries, ["A db.example.com"]);
  });

  it("gives a TTL of zero as it is", async () => {
    answers["A db.example.com"] = { addresses: ["10.0.0.1"], ttl: 0 };
    assert.equal((await lookUp("db.example.com")).ttlMs, 0);
  });

  it("asks for IPv6 when there is no IPv4 address", async () => {
    answers["A db.example.com"] = { addresses: [], ttl: 0 };
    answers["AAAA db.example.com"] = { addresses: ["2001:db8::1"], ttl: 5 };
    assert.deepEqual(await lookUp("db.example.com"), { addresses: ["2001:db8::1"], ttlMs: 5_000 });
  });

  it("gives no address for a name that does not exist, or has none", async () => {
    assert.deepEqual((await lookUp("gone.example.com")).addresses, []);
    answers["A empty.example.com"] = answers["AAAA empty.example.com"] = { addresses: [], ttl: 0 };
    assert.deepEqual((await lookUp("empty.example.com")).addresses, []);
  });

  it("asks again by TCP when the answer was truncated", async () => {
    const addresses = Array.from({ length: 100 }, (_, index) => `10.0.1.${index}`);
    answers["A many.example.com"] = { addresses, ttl: 9, truncated: true };
    assert.deepEqual((await lookUp("many.example.com")).addresses, addresses);
    assert.deepEqual(server.queries, ["A many.example.com", "tcp A many.example.com"]);
  });

  it("fails when the server does", async () => {
    answers["A db.example.com"] = "servfail";
    await assert.rejects(lookUp("db.example.com"), { code: "ESERVFAIL" });
  });

  it("fails when the server is silent, after a second try", async () => {
    answers["A db.example.com"] = "silent";
    await assert.rejects(lookUp("db.example.com"), { code: "ETIMEOUT" });
    assert.deepEqual(server.queries, ["A db.example.com", "A db.example.com"]);
  });

  it("ends with the call's deadline", async () => {
    answers["A db.example.com"] = "silent";
    const beganMs = performance.now();
    await assert.rejects(lookUp("db.example.com", 100, 60_000), /too late/);
    assert.ok(performance.now() - beganMs < 3_000);
  });

  it("takes names of the hosts file from there, as it is at the time", async () => {
    answers["A db"] = { addresses: ["10.9.9.9"], ttl: 1 };
    folder.write("hosts", "::1 db\n10.0.0.7 other DB # ours\n");
    assert.deepEqual(await lookUp("db"), { addresses: ["10.0.0.7"], ttlMs: undefined });
    assert.deepEqual(server.queries, []);
    folder.write("hosts", "");
    assert.deepEqual((await lookUp("db")).addresses, ["10.9.9.9"]);
  });

  it("knows localhost without asking", async () => {
    assert.deepEqual((await lookUp("localhost")).addresses, ["127.0.0.1"]);
    assert.deepEqual((await lookUp("api.localhost")).addresses, ["127.0.0.1"]);
    assert.deepEqual(server.queries, []);
  });

  it("completes short names by the search list, and asks in its order", async () => {
    folder.write("resolv.conf", "search shop.svc.cluster.local svc.cluster.local\noptions ndots:5\n");
    answers["A reviews.shop.svc.cluster.local"] = { addresses: ["10.0.0.3"], ttl: 5 };
    answers["A reviews.shop"] = { addresses: ["203.0.113.1"], ttl: 5 };
    assert.deepEqual((await lookUp("reviews.shop")).addresses, ["10.0.0.3"]);
    assert.ok(!server.queries.includes("A reviews.shop"));
  });

  it("does not go on to another host's name after a failure", async () => {
    folder.write("resolv.conf", "search shop.svc.cluster.local\noptions ndots:5\n");
    answers["A reviews.shop.svc.cluster.local"] = "servfail";
    answers["A reviews"] = { addresses: ["203.0.113.1"], ttl: 5 };
    await assert.rejects(lookUp("reviews"), { code: "ESERVFAIL" });
  });
});

describe("the files of the system", () => {
  it("list hosts with several names and addresses, comments, and lines of no form", () => {
    const hosts = parseHostsFile(
      "# comment\n127.0.0.1\tlocalhost Localhost\r\n::1 localhost\nno-address name\n10.0.0.1\n 10.0.0.2  a#b\n",
    );
    assert.deepEqual(
      [...hosts],
      [
        ["localhost", ["127.0.0.1", "::1"]],
        ["a", ["10.0.0.2"]],
      ],
    );
  });

  for (const [text, expected] of [
    ["", { domains: [], ndots: 1 }],
    ["search a.example b.example.\n", { domains: ["a.example", "b.example"], ndots: 1 }],
    ["search a\ndomain b\n", { domains: ["b"], ndots: 1 }],
    ["domain b c\n; search d\n#search e\n", { domains: ["b"], ndots: 1 }],
    ["search .\noptions timeout:1 ndots:99\n", { domains: [], ndots: 15 }],
    ["search 1 2 3 4 5 6 7 8\n", { domains: ["1", "2", "3", "4", "5", "6"], ndots: 1 }],
    ["options ndots:x ndots:0\r\n", { domains: [], ndots: 0 }],
  ] as const)
    it(`give the search list of ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parseSearchList(text), expected);
    });

  for (const [name, ndots, expected] of [
    ["a", 1, ["a.x", "a.y", "a"]],
    ["a.b", 1, ["a.b", "a.b.x", "a.b.y"]],
    ["a.b", 2, ["a.b.x", "a.b.y", "a.b"]],
    ["a", 0, ["a", "a.x", "a.y"]],
  ] as const)
    it(`ask for ${name} with ndots:${ndots} as ${expected.join(", ")}`, () => {
      assert.deepEqual(candidatesOf(name, { domains: ["x", "y"], ndots }), expected);
    });
});
