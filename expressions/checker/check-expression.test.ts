// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { builtInManifest } from "../../test/support/checked-expression.ts";
import { mergeManifests } from "../manifest/manifest.ts";
import { type Expression } from "../../core/expressions/expression.ts";
import { ExpressionError } from "../errors/expression-error.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";
import { checkExpression, type KnownFacts } from "./check-expression.ts";
import type { ExpressionFinding, Purpose } from "./finding.ts";

const { manifest } = mergeManifests([
  {
    attributes: {
      "request.method": { type: "STRING", optional: false },
      "request.path": { type: "STRING", optional: false },
      "request.time": { type: "TIMESTAMP", optional: false },
      "request.headers": { type: "STRING_MAP", optional: false },
      "request.useragent": { type: "STRING" },
      "request.size": { type: "INT64" },
      "request.auth.claims": { type: "ANY" },
      "destination.service.name": { type: "STRING" },
      "destination.labels": { type: "STRING_MAP" },
      "connection.mtls": { type: "BOOL" },
      "response.code": { type: "INT64", phase: "response" },
      "user.roles": { type: "STRING_LIST" },
      "user.age": { type: "INT64" },
    },
  },
]);

/** A request with every attribute. */
const BAG = {
  request: {
    method: "GET",
    path: "/a/b?c",
    time: "2026-01-02T03:04:05Z",
    headers: { x: "1", "x-user": "bob", "x-age": "9", "x-role": "admin", "x-debug": "1", "x-tier": "gold" },
    useragent: "curl",
    size: 10,
    auth: { claims: { sub: "a", age: 20, roles: ["admin"], tier: "gold" } },
  },
  destination: { service: { name: "ratings" }, labels: { version: "v1" } },
  connection: { mtls: true },
  user: { roles: ["admin", "dev"], age: 20 },
};

function compiled(source: string): Expression {
  const result = compileWithJsonata(source);
  assert.ok(result.ok, result.ok ? "" : result.fault.message);
  return result.expression;
}

function check(source: string, purpose: Purpose, given: readonly string[] = [], attributes = manifest) {
  const cached = purpose !== "audit";
  return checkExpression(compiled(source), {
    purpose,
    phase: "request",
    cached,
    manifest: attributes,
    given,
  });
}

function describeFinding({ severity, code, suggestion }: ExpressionFinding): string {
  return `${severity} ${code.replace("PURSER_EXPR_", "")}${suggestion === undefined ? "" : `: ${suggestion}`}`;
}

type Trap = readonly [purpose: Purpose, source: string, finding: string];

const TRAPS: readonly Trap[] = [
  // Names.
  ["deny", 'requst.method = "GET"', "error UNKNOWN_ATTRIBUTE: request.method"],
  ["deny", "response.code = 200", "error PHASE"],
  [
    "deny",
    'request.headers.x-forwarded-for = "a"',
    'error UNKNOWN_ATTRIBUTE: request.headers."x-forwarded-for"',
  ],
  ["deny", 'request.headers."X-User" = "a"', 'warning UNKNOWN_ATTRIBUTE: request.headers."x-user"'],
  // Values of different types.
  ["deny", 'request.size = "10"', "error TYPE: request.size = 10"],
  ["deny", '"10" > 5', "error TYPE: 10 > 5"],
  ["deny", 'request.headers."x-age" < 18', 'error TYPE: $number(request.headers."x-age") < 18'],
  ["allow", 'request.headers."x-age" < "18"', 'warning TYPE: $number(request.headers."x-age") < 18'],
  ["deny", "request.time > 1700000000000", "error TYPE: $toMillis(request.time) > 1700000000000"],
  ["deny", "request.size > true", "error TYPE"],
  ["allow", 'connection.mtls = "true"', "error TYPE: connection.mtls = true"],
  ["allow", 'user.roles = "admin"', 'error TYPE: "admin" in user.roles'],
  ["allow", 'user.roles != "admin"', 'error TYPE: $not("admin" in user.roles)'],
  ["allow", 'destination.labels = "v1"', "error TYPE"],
  ["allow", 'request.auth.claims.roles = "admin"', 'warning TYPE: "admin" in request.auth.claims.roles'],
  ["deny", 'request.headers."x-user" = null', 'error TYPE: $not($exists(request.headers."x-user"))'],
  ["allow", "request.auth.claims.tier != null", "warning TYPE: $exists(request.auth.claims.tier)"],
  ["deny", '"curl" in request.useragent', 'warning TYPE: $contains(request.useragent, "curl")'],
  ["deny", '"x-user" in request.headers', 'error TYPE: $exists(request.headers."x-user")'],
  ["deny", 'request.size in ["1", "2"]', "error TYPE"],
  ["value", 'request.size + "1"', 'error TYPE: request.size & "1"'],
  ["value", 'request.headers."x-age" * 2', 'error TYPE: $number(request.headers."x-age")'],
  ["value", "-request.method", "error TYPE: $number(request.method)"],
  // Arguments.
  ["deny", '$lowercase(request.size) = "a"', "error ARGUMENT: $string(request.size)"],
  ["allow", '$contains(user.roles, "admin")', "error ARGUMENT"],
  ["deny", "$sum(request.method) > 1", "error ARGUMENT: $number(request.method)"],
  ["deny", "$contains(request.path)", "error ARGUMENT"],
  ["deny", '$contains(request.path, "a", "b")', "error ARGUMENT"],
  // Values that are no conditions.
  ["allow", 'request.headers."x-user"', 'error CONDITION: $exists(request.headers."x-user")'],
  ["deny", "$match(request.path, /a/)", "error CONDITION: $contains(request.path, /a/)"],
  ["allow", '$lookup(destination.labels, "a")', 'error CONDITION: $exists($lookup(destination.labels, "a"))'],
  ["allow", 'request.method = "GET" ? "allow" : "deny"', 'error CONDITION: request.method = "GET"'],
  ["allow", '"false" and true', "error CONDITION"],
  ["allow", 'request.method = "GET" or "HEAD"', 'error CONDITION: request.method = "HEAD"'],
  [
    "allow",
    'request.headers."x-debug" and connection.mtls',
    'warning CONDITION: $exists(request.headers."x-debug")',
  ],
  [
    "allow",
    'request.headers."x-tier" ?? "free" = "gold"',
    'warning CONDITION: (request.headers."x-tier" ?? "free") = "gold"',
  ],
  // Absent values.
  ["deny", 'request.headers."x-user" != "bob"', 'warning ABSENT: $not(request.headers."x-user" = "bob")'],
  ["match", 'request.headers."x-user" != "bob"', 'warning ABSENT: $not(request.headers."x-user" = "bob")'],
  ["deny", "$not(connection.mtls)", "warning ABSENT: $not(connection.mtls = true)"],
  [
    "deny",
    '$not($contains(request.useragent, "curl"))',
    'warning ABSENT: $not($exists(request.useragent) and $contains(request.useragent, "curl"))',
  ],
  ["deny", "$not($match(request.path, /a/))", "warning ABSENT: $not($contains(request.path, /a/))"],
  ["deny", '$not(request.headers."x-user")', 'warning ABSENT: $not($exists(request.headers."x-user"))'],
  ["deny", "user.age < 18", "warning ABSENT: ($not($exists(user.age)) or user.age < 18)"],
  ["deny", "$not(user.age >= 18)", "warning ABSENT: $not($exists(user.age) and user.age >= 18)"],
  ["deny", "user.age < 18 ? true : false", "warning ABSENT: $not($exists(user.age)) or user.age < 18"],
  ["allow", "user.age < 18 ? false : true", "warning ABSENT: $not($exists(user.age)) or user.age < 18"],
  ["value", 'user.age < 18 ? "minor" : "adult"', "warning ABSENT: $not($exists(user.age)) or user.age < 18"],
  [
    "allow",
    '$not(request.headers."x-role" != "admin")',
    'warning ABSENT: $not(request.headers."x-role" = "admin")',
  ],
  ["allow", '$not(request.headers."x-user" = "bob")', 'warning ABSENT: request.headers."x-user" != "bob"'],
  [
    "allow",
    "$not(user.age in [17, 18])",
    "warning ABSENT: ($exists(user.age) and $not(user.age in [17, 18]))",
  ],
  [
    "any",
    'request.headers."x-user" != "bob"',
    'warning ABSENT: ($exists(request.headers."x-user") and request.headers."x-user" != "bob")',
  ],
  [
    "allow",
    '$not(request.method = "PUT" or user.age = 18)',
    "warning ABSENT: ($not($exists(user.age)) or user.age = 18)",
  ],
  ["any", "$not(user.age = 18)", "warning ABSENT: ($exists(user.age) and $not(user.age = 18))"],
  ["any", "user.age < 18", "warning ABSENT: ($not($exists(user.age)) or user.age < 18)"],
  // Endless recursion.
  ["deny", "($f := function(){ $f() }; $f())", "error ENDLESS"],
  ["deny", "($f := function($n){ $n > 1 ? $f($n + 1) : $f(1) }; $f(1) = 1)", "error ENDLESS"],
  ["value", "($f := function($n){ 1 + $f($n) }; $f(1))", "error ENDLESS"],
  // Values that are constant, or change with each request.
  ["allow", "1 = 1", "warning CONSTANT"],
  ["allow", 'request.method = "GET" or true', "warning CONSTANT"],
  [
    "deny",
    'request.method != "GET" or request.method != "PUT"',
    'warning CONSTANT: $not(request.method in ["GET", "PUT"])',
  ],
  [
    "allow",
    'request.method = "GET" and request.method = "PUT"',
    'warning CONSTANT: request.method in ["GET", "PUT"]',
  ],
  ["deny", '$now() > "2024"', "warning UNCACHED"],
  ["deny", "$random() < 0.5", "warning UNCACHED"],
];

const GOOD: readonly (readonly [purpose: Purpose, source: string, given?: string])[] = [
  ["match", 'destination.service.name = "ratings"'],
  ["deny", '$not(request.method in ["GET", "HEAD"])'],
  ["deny", 'request.method != "GET"'],
  ["allow", 'request.headers."x-role" = "staff"'],
  ["allow", 'request.headers."x-user" != "bob"'],
  ["deny", '$contains($lowercase(request.useragent), "bot")'],
  ["deny", '$exists(request.headers."x-user") and request.headers."x-user" != "bob"'],
  ["deny", 'request.headers."x-user" != "bob" and $exists(request.headers."x-user")'],
  ["deny", '$not($exists(request.headers."x-user")) or request.headers."x-user" != "bob"'],
  ["deny", '$not(request.headers."x-user" = "bob")'],
  ["deny", 'request.headers."x-user" != "bob"', '$exists(request.headers."x-user")'],
  ["deny", 'request.headers."x-user" != "bob"', 'request.headers."x-user" in ["bob", "eve"]'],
  ["deny", "$not($exists(user.age) and user.age >= 18)"],
  ["deny", "$exists(user.age) ? user.age < 18 : true"],
  ["allow", "user.age >= 18"],
  ["allow", "user.age >= 18 ? true : false"],
  ["value", '$exists(user.age) and user.age < 18 ? "minor" : "adult"'],
  ["allow", '"admin" in user.roles'],
  ["deny", '$not("admin" in user.roles)'],
  ["allow", '"admin" in request.auth.claims.roles'],
  ["allow", 'request.auth.claims.sub = "a"'],
  ["allow", "request.auth.claims.age > 18"],
  ["deny", '(request.headers."x-tier" ?? "free") != "gold"'],
  ["allow", '$boolean(request.headers."x-debug")'],
  ["allow", "connection.mtls"],
  ["deny", "true"],
  ["deny", "($f := function($n){ $n > 1 ? $f($n - 1) : true }; $f(3))"],
  ["deny", "($f := function($n){ $n = 1 or $f($n - 1) }; $f(3))"],
  ["deny", "($f := function($f){ $f() }; $f(function(){ true }))"],
  ["allow", "$exists(user.age) and $not(user.age = 18)"],
  ["allow", "$not($not($exists(user.age)) or user.age = 18)"],
  ["any", 'request.headers."x-role" = "staff"'],
  ["deny", "$not(connection.mtls = true)"],
  ["allow", '$number(request.headers."x-age") >= 18'],
  ["allow", '$count(user.roles[$ = "admin"]) > 0'],
  ["deny", '$count($filter(user.roles, function($r) { $r = "admin" })) > 0'],
  ["deny", '($user := request.headers."x-user"; $exists($user) and $user != "bob")'],
  ["allow", "$toMillis(request.time) > 1700000000000"],
  ["allow", 'request.time > "2024"'],
  ["audit", '$now() > "2024"'],
  ["audit", 'request.headers."x-user" != "bob"'],
  ["deny", '$split(request.path, "/")[1] = "admin"'],
  ["deny", '$lookup(request.headers, "x-user") = "bob"'],
  ["deny", "$exists($match(request.path, /a/))"],
  ["deny", 'request.path.$contains("b")'],
  ["deny", 'request.path ~> $contains("b")'],
  ["deny", '$$.request.method = "GET"'],
  ["value", 'request.headers."x-user" ? "user" : "anonymous"'],
  ["value", "$exists(request.size) ? request.size : 1"],
  ["value", "request.size ?? 1"],
  ["value", '($last := $split(?, "/") ~> $reverse; $last(request.path)[0])'],
  ["value", 'request.headers."x-tier" ?: "free"'],
  ["value", '"a" & request.size'],
  ["value", '{"method": request.method, "sizes": [request.size, 1]}'],
];

describe("the check of an expression", () => {
  for (const [purpose, source, expected] of TRAPS) {
    it(`warns of the trap in (${purpose}) ${source}`, () => {
      assert.deepEqual(check(source, purpose).map(describeFinding), [expected]);
    });
  }

  for (const [purpose, source, given] of GOOD) {
    it(`is silent on (${purpose}) ${source}${given === undefined ? "" : ` where ${given}`}`, () => {
      assert.deepEqual(check(source, purpose, given === undefined ? [] : [given]).map(describeFinding), []);
    });
  }

  it("finds the same with the facts of conditions that were given to other expressions and purposes", () => {
    const conditions = [...GOOD, ...TRAPS].map(([, source]) => source);
    const known: KnownFacts = new Map();
    let silenced = 0;
    for (const given of [...conditions, ...conditions])
      for (const source of ['request.headers."x-user" != "bob"', "user.age < 18", '"admin" in user.roles'])
        for (const purpose of ["deny", "allow", "value"] as const) {
          const use = { purpose, phase: "request", cached: true, manifest, given: [given] } as const;
          const findings = checkExpression(compiled(source), use, known);
          assert.deepEqual(findings, checkExpression(compiled(source), use), `${source} where ${given}`);
          if (findings.length < check(source, purpose).length) silenced += 1;
        }
    assert.ok(silenced > 0, "some condition changed the findings");
    assert.equal(known.size, new Set(conditions).size);
  });

  it("finds what docs/guides/policies.md says that it finds", () => {
    const page = readFileSync("docs/guides/policies.md", "utf8");
    const attributes = builtInManifest({
      "user.name": { type: "STRING", optional: false },
      "user.roles": { type: "STRING_LIST" },
      "user.age": { type: "INT64" },
    });
    const rows = [...page.matchAll(/^\| (.*?`.*?) \| .* \| (error|warning) \| .* \|$/gm)];
    assert.ok(rows.length > 40, `${rows.length} rows`);
    for (const [, written = "", severity] of rows) {
      const [first = "", second = ""] = [...written.matchAll(/`([^`]+)`/g)].map(([, code]) => code);
      const action = ({ ALLOW: "allow", DENY: "deny" } as const)[first];
      const source = action === undefined ? first : second;
      const purpose = action ?? (written.includes("in a key") ? "value" : "allow");
      // Letters stand for attributes that every request has.
      const named = source.replaceAll(/(?<![\w/"])a\b/g, "user.name");
      const severities = check(named, purpose, [], attributes).map((finding) => finding.severity);
      assert.deepEqual(severities, [severity], `${named} (${purpose})`);
    }
  });

  it("suggests what passes it", () => {
    for (const [purpose, source] of TRAPS) {
      for (const { start, end, suggestion, code } of check(source, purpose)) {
        if (suggestion === undefined) continue;
        const corrected = source.slice(0, start) + suggestion + source.slice(end);
        const codes = check(corrected, purpose).map((finding) => finding.code);
        // A number in quotes that is compared with a number is a constant too.
        if (corrected !== "10 > 5") assert.ok(!codes.includes(code), `${corrected}: ${codes.join()}`);
      }
    }
  });

  it("foretells the code with which an evaluation fails", async () => {
    let foretold = 0;
    for (const [purpose, source] of TRAPS) {
      const code = check(source, purpose)[0]?.message.match(/\b[TD]\d{4}\b/)?.[0];
      if (code === undefined) continue;
      foretold++;
      const evaluation = async () => compiled(source).evaluate(BAG, { nowMs: 0 });
      await assert.rejects(evaluation, (error) => error instanceof ExpressionError && error.code === code);
    }
    assert.ok(foretold >= 8, String(foretold));
  });

  it("passes conditions that give true or false for a request that has everything", async () => {
    for (const [purpose, source] of GOOD) {
      const value = await compiled(source).evaluate(BAG, { nowMs: 0 });
      assert.notEqual(value, undefined, source);
      if (purpose !== "value") assert.equal(typeof value, "boolean", source);
    }
  });

  it("says nothing of unknown names where not all that declares attributes could be read", () => {
    const use = { purpose: "deny", phase: "request", cached: true, manifest, complete: false } as const;
    assert.deepEqual(checkExpression(compiled('tenant.plan = "gold" and tenant.size < 5'), use), []);
  });
});
