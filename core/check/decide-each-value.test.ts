// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { accessPolicy, quotaPolicy, snapshotOf } from "../../test/support/snapshots.ts";
import type { AttributeBag } from "../attributes/bag.ts";
import { requestGroup } from "../attributes/request-group.ts";
import type { Expression } from "../expressions/expression.ts";
import { createJsonataCompiler } from "../expressions/jsonata-engine.ts";
import { isPromise } from "../../kernel/maybe-promise.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { decide } from "./decide.ts";
import type { Decision } from "./decision.ts";
import { planChecks } from "./plan.ts";
import type { DocumentOutcome } from "./ports.ts";

const compile = createJsonataCompiler({}, () => performance.now());

function compiled(source: string): Expression {
  const result = compile(source);
  assert.ok(result.ok);
  return result.expression;
}

function bagOf(headers: readonly string[], query = ""): AttributeBag {
  const authority = { host: "a", port: undefined };
  return {
    request: requestGroup({ method: "GET", scheme: "http", authority, path: "/", query, headers }),
  };
}

const outcomes: (readonly [string, DocumentOutcome])[] = [];

function decideNow(documents: Partial<Snapshot>, bag: AttributeBag): Decision {
  outcomes.length = 0;
  const decision = decide(planChecks(snapshotOf(documents)), bag, {
    nowMs: 0,
    dispatch: { attributeSources: [], ask: () => undefined },
    observer: { outcome: ({ name }, outcome) => outcomes.push([name, outcome]), fault: () => {} },
  });
  assert.ok(!isPromise(decision));
  return decision;
}

const policy = (action: "DENY" | "ALLOW" | "AUDIT", when: string) => ({
  accessPolicies: [accessPolicy(`${action}-it`, { action, when: compiled(when) })],
});
const isAdmin = 'request.headers."x-role" = "admin"';

describe("a request in which a field comes several times", () => {
  it("is refused when any of the values would be", () => {
    for (const values of [
      ["user", "admin"],
      ["admin", "user"],
      ["admin", "admin"],
      ["a", "b", "admin"],
    ]) {
      const bag = bagOf(values.flatMap((value) => ["x-role", value]));
      assert.equal(decideNow(policy("DENY", isAdmin), bag).status.code, "PERMISSION_DENIED", values.join());
    }
    const bag = bagOf(["x-role", "user", "x-role", "guest"]);
    assert.equal(decideNow(policy("DENY", isAdmin), bag).status.code, "OK");
  });

  it("is allowed only when each of the values would be", () => {
    const staff = policy("ALLOW", 'request.headers."x-role" in ["admin", "staff", "admin, staff"]');
    assert.equal(decideNow(staff, bagOf(["x-role", "admin", "x-role", "staff"])).status.code, "OK");
    assert.notEqual(decideNow(staff, bagOf(["x-role", "admin", "x-role", "guest"])).status.code, "OK");
  });

  it("is decided by the joined values as well, and by attributes with the same content", () => {
    const both = '$contains(request.headers.a, "x") and $contains(request.headers.a, "y")';
    assert.notEqual(decideNow(policy("DENY", both), bagOf(["a", "x", "a", "y"])).status.code, "OK");
    const robot = policy("DENY", 'request.useragent = "robot"');
    assert.notEqual(decideNow(robot, bagOf(["user-agent", "nice", "user-agent", "robot"])).status.code, "OK");
  });

  it("is decided by each of its values when an expression reads the whole bag", () => {
    const bag = bagOf(["x-role", "user", "x-role", "admin"], "?role=user&role=admin");
    for (const when of [
      '*.headers."x-role" = "admin"',
      '**."x-role" = "admin"',
      'request.**.role = "admin"',
      '*.query_params.role = "admin"',
      '$exists($sift($$, function($group) { $group.headers."x-role" = "admin" }))',
      '$contains($string($$), "\\"x-role\\":\\"admin\\"")',
    ])
      assert.notEqual(decideNow(policy("DENY", when), bag).status.code, "OK", when);
  });

  it("is decided by every combination of values of all repeated fields, including the query", () => {
    const pair = 'request.headers.a = "1" and request.query_params.b = "2"';
    const headers = ["a", "0", "a", "1"];
    assert.notEqual(decideNow(policy("DENY", pair), bagOf(headers, "?b=0&b=2")).status.code, "OK");
    assert.equal(decideNow(policy("DENY", pair), bagOf(headers, "?b=0&b=3")).status.code, "OK");
  });

  it("can be distinguished from one without repeated fields", () => {
    const once = policy("DENY", '$exists(request.repeated_headers."x-role")');
    assert.notEqual(decideNow(once, bagOf(["x-role", "a", "x-role", "b"])).status.code, "OK");
    assert.equal(decideNow(once, bagOf(["x-role", "a, b"])).status.code, "OK");
    const one = policy("ALLOW", '"b" in request.repeated_headers."x-role"');
    assert.equal(decideNow(one, bagOf(["x-role", "a", "x-role", "b"])).status.code, "OK");
  });

  it("is charged for each of its values, with no additional count", () => {
    const key = { kind: "expression", expression: compiled('request.headers."x-user"') } as const;
    const perUser = { quotaPolicies: [quotaPolicy("per-user", { key: [["user", key]] })] };
    const cells = (...users: string[]) =>
      decideNow(perUser, bagOf(users.flatMap((user) => ["x-user", user]))).charges.map(({ cell }) => cell);
    assert.deepEqual(cells("ann", "ann"), cells("ann"));
    assert.deepEqual(cells("ann", "bob"), [...cells("ann"), ...cells("bob")]);
  });

  it("reports to observers only the decision that is used", () => {
    decideNow(policy("DENY", isAdmin), bagOf(["x-role", "user", "x-role", "admin"]));
    assert.deepEqual(outcomes, [["DENY-it", "refused"]]);
    decideNow(policy("AUDIT", isAdmin), bagOf(["x-role", "user", "x-role", "guest"]));
    assert.deepEqual(outcomes, [["AUDIT-it", "passed"]]);
  });

  it("costs nothing more when no policy reads the field", () => {
    const decision = decideNow(policy("DENY", isAdmin), bagOf(["via", "1", "via", "2", "x-role", "a"]));
    assert.deepEqual(
      decision.referenced.map(({ path }) => path.join(".")),
      ["request.headers.x-role"],
    );
  });

  it("has one budget for all its readings", () => {
    // A loop that would use up a separate budget in each reading: 25 ms each.
    const endless = compiled("$count([1..9999][$length($$.request.headers.a & $string($)) < $]) < 0");
    const accessPolicies = [accessPolicy("slow", { action: "DENY", when: endless, onError: "allow" })];
    const bag = bagOf(Array.from({ length: 30 }, (_, index) => ["a", `${index}`.repeat(500)]).flat());
    const started = process.cpuUsage().user;
    decideNow({ accessPolicies: Array.from({ length: 4 }, () => accessPolicies).flat() }, bag);
    const tookMs = (process.cpuUsage().user - started) / 1_000;
    assert.ok(tookMs < 60, `${tookMs} ms`);
  });

  it("is refused when it has too many readings", () => {
    const names = ["a", "b", "c", "d", "e"];
    const reads = policy("DENY", names.map((name) => `request.headers.${name} = "never"`).join(" or "));
    const bag = bagOf(names.flatMap((name) => [name, "1", name, "2"]));
    const { status, reason } = decideNow(reads, bag);
    assert.equal(status.code, "INVALID_ARGUMENT");
    assert.equal(reason?.kind === "error" && reason.code, "PURSER_REQUEST_AMBIGUOUS");
  });
});
