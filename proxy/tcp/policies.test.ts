// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Socket } from "node:net";

import type { AttributeBag } from "../../core/attributes/bag.ts";
import {
  ALLOW,
  cleanUp,
  FakePolicy,
  groupOf,
  later,
  startProxy,
  tcpUpstream,
  until,
} from "../testing/harness.test.ts";
import type { CheckResult } from "../policy/check-result.ts";
import { HTTP_TRANSPORT } from "../transport/http-transport.ts";
import { plainTcp, startTcp, tcpConfigOf, tcpRouteOf, TestClient } from "./tcp-rig.test.ts";

const DENY: CheckResult = {
  ...ALLOW,
  outcome: {
    kind: "deny",
    status: { code: "PERMISSION_DENIED", message: "no" },
    decidedBy: { kind: "AccessPolicy", name: "db" },
  },
};

/** The counted bytes of each report, by its event. */
function bytesOf(reports: readonly AttributeBag[]) {
  return reports.map((bag) => {
    const { event, received, sent } = bag["connection"] as Record<string, Record<string, number>>;
    return [event, received?.["bytes"], received?.["bytes_total"], sent?.["bytes"], sent?.["bytes_total"]];
  });
}

describe("policies about connections", () => {
  afterEach(cleanUp);

  const echo = (socket: Socket): void => void socket.on("data", (chunk) => socket.write(chunk));

  it("see the connection when it opens, and nothing of a request", async () => {
    const { port } = await tcpUpstream(echo);
    const rig = await startTcp(port);
    const client = new TestClient(rig.port);
    client.socket.write("x");
    await until(() => client.text === "x");
    const { id, ...connection } = groupOf(rig.policy.checks, "connection");
    const { context, ...bag } = rig.policy.checks[0] as Record<string, Record<string, unknown>>;
    assert.match(String(id), /^edge-\d+$/);
    assert.deepEqual(connection, { mtls: false, event: "open" });
    assert.deepEqual(
      { ...bag, connection: undefined },
      {
        source: { ip: "127.0.0.1", port: client.socket.localPort },
        destination: {
          service: { host: "reviews.default", name: "reviews", namespace: "default" },
          namespace: "default",
          labels: {},
        },
        origin: { ip: "127.0.0.1" },
        connection: undefined,
        route: { name: "db" },
      },
    );
    assert.equal(context?.["protocol"], "tcp");
    assert.deepEqual(context?.["reporter"], { kind: "outbound", uid: "edge~test" });
  });

  it("refuse a connection before an upstream sees it", async () => {
    let connections = 0;
    const { port } = await tcpUpstream(() => void connections++);
    const rig = await startTcp(port);
    rig.policy.decide = () => DENY;
    const client = new TestClient(rig.port);
    client.socket.write("select 1");
    await client.closed;
    rig.policy.decide = async () => {
      await later(20);
      return DENY;
    };
    await new TestClient(rig.port).closed;
    await until(() => rig.policy.reports.length === 2);
    assert.equal(connections, 0);
    assert.deepEqual(rig.policy.reports[0]?.["response"], {
      flags: "UAEX",
      code_details: "denied_by_policy",
    });
    assert.equal(groupOf(rig.policy.reports, "check")["policy"], "AccessPolicy/db");
    assert.deepEqual(bytesOf(rig.policy.reports), [
      ["close", 0, 0, 0, 0],
      ["close", 0, 0, 0, 0],
    ]);
  });

  it("settle the charges of a connection once, when it is over or its client left before", async () => {
    const { port } = await tcpUpstream(echo);
    const rig = await startTcp(port);
    const fates: (string | undefined)[] = [];
    const settlement = {
      readsBody: false,
      settle: (fate: string | undefined) => void fates.push(fate),
    };
    rig.policy.decide = () => ({ ...ALLOW, settlement });
    const client = new TestClient(rig.port);
    client.socket.write("x");
    await until(() => client.text === "x");
    assert.deepEqual(fates, []);
    client.socket.end();
    await client.closed;
    await until(() => fates.length === 1);
    rig.policy.decide = async () => {
      await later(100);
      return { ...ALLOW, settlement };
    };
    const leaving = new TestClient(rig.port);
    await until(() => rig.policy.checks.length === 2);
    leaving.socket.resetAndDestroy();
    await until(() => fates.length === 2);
    assert.deepEqual(fates, [undefined, "unanswered"]);
  });

  it("close an open connection within a second when they change", async () => {
    const { port } = await tcpUpstream(echo);
    const rig = await startTcp(port);
    const [kept, refused] = [new TestClient(rig.port), new TestClient(rig.port)];
    for (const client of [kept, refused]) client.socket.write("x");
    await until(() => kept.text === "x" && refused.text === "x");
    const refusedPort = refused.socket.localPort;
    const start = performance.now();
    rig.policy.change((bag) =>
      (bag["source"] as Record<string, unknown>)["port"] === refusedPort ? "refused" : "allowed",
    );
    await refused.closed;
    assert.ok(performance.now() - start < 1_000);
    kept.socket.write("y");
    await until(() => kept.text === "xy");
    const ends = rig.policy.reports.flatMap((bag) => bag["response"] ?? []);
    assert.deepEqual(ends, [{ flags: "UAEX", code_details: "refused_by_changed_policy" }]);
  });

  it("report a connection when it opens, while its bytes move, and when it closes", async () => {
    const { port } = await tcpUpstream(echo);
    const rig = await startTcp(port);
    const client = new TestClient(rig.port);
    client.socket.write("12345");
    await until(() => client.text === "12345");
    client.socket.end("678");
    await client.closed;
    await until(() => rig.policy.reports.length === 2);
    assert.deepEqual(bytesOf(rig.policy.reports), [
      ["open", 0, 0, 0, 0],
      ["close", 8, 8, 8, 8],
    ]);
    const [open, close] = rig.policy.reports.map((bag) => bag["connection"] as Record<string, unknown>);
    assert.equal(open?.["duration"], undefined);
    assert.ok(Number(close?.["duration"]) > 0);
    assert.deepEqual(rig.policy.reports[1]?.["upstream"], { address: `127.0.0.1:${port}`, attempts: 1 });
  });

  it("are not asked where the destination decides itself", async () => {
    const { port } = await tcpUpstream(echo);
    const rig = await startTcp(port, { checkedByDestination: true });
    const client = new TestClient(rig.port);
    client.socket.write("x");
    await until(() => client.text === "x");
    assert.equal(rig.policy.checks.length, 0);
  });

  it("let unchanged connections live through a reload, and drain those of a removed listener", async () => {
    const { port } = await tcpUpstream(echo);
    const other = await tcpUpstream((socket) => void socket.write("other"));
    const policy = new FakePolicy();
    const tcp = plainTcp(tcpRouteOf("db"));
    const rig = await startProxy(tcpConfigOf({ db: port }, { tcp }), {
      transport: HTTP_TRANSPORT,
      drainMs: 300,
      policy,
    });
    const client = new TestClient(rig.port);
    client.socket.write("x");
    await until(() => client.text === "x");
    rig.apply(tcpConfigOf({ other: other.port }, { tcp: plainTcp(tcpRouteOf("other")) }));
    const later1 = new TestClient(rig.port);
    await until(() => later1.text === "other");
    client.socket.write("y");
    await until(() => client.text === "xy");
    const start = performance.now();
    rig.apply({ ...tcpConfigOf({ other: other.port }, {}), listeners: { version: "none", resources: [] } });
    await later(100);
    client.socket.write("z");
    await until(() => client.text === "xyz");
    await Promise.all([client.closed, later1.closed]);
    const tookMs = performance.now() - start;
    assert.ok(tookMs >= 290 && tookMs < 1_500, String(tookMs));
    await until(() => policy.reports.length === 4);
    assert.deepEqual(
      policy.reports.flatMap((bag) => bag["response"] ?? []),
      [
        { flags: "-", code_details: "drain" },
        { flags: "-", code_details: "drain" },
      ],
    );
  });
});
