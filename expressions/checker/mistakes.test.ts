// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import {
  checkedBuiltIn,
  describeFinding,
  itKnows,
  type Mistake,
} from "../../test/support/checked-expression.ts";
import type { Purpose } from "./finding.ts";

const MISTAKES: readonly Mistake[] = [
  // Methods.
  ["deny", 'request.method = "get"', 'warning IMPOSSIBLE: "GET"', 'request.method = "GET"'],
  ["deny", '"get" = request.method', 'warning IMPOSSIBLE: "GET"', '"GET" = request.method'],
  ["deny", 'request.method != "get"', 'warning IMPOSSIBLE: "GET"', 'request.method != "PURGE"'],
  [
    "deny",
    'request.method in ["GET", "Post"]',
    'warning IMPOSSIBLE: "POST"',
    'request.method in ["GET", "POST"]',
  ],
  ["deny", 'request.method in "GET,HEAD"', 'warning IMPOSSIBLE: ["GET", "HEAD"]', 'request.method in "GET"'],
  [
    "deny",
    'request.method in ["GET,HEAD"]',
    'warning IMPOSSIBLE: "GET", "HEAD"',
    'request.method in ["M-SEARCH"]',
  ],
  [
    "deny",
    'request.method = "GET|HEAD"',
    'warning IMPOSSIBLE: request.method in ["GET", "HEAD"]',
    'request.method = "X!"',
  ],
  [
    "deny",
    "$contains(request.method, /get|put/)",
    "warning IMPOSSIBLE: /get|put/i",
    "$contains(request.method, /^(get|PUT)$/)",
  ],
  [
    "deny",
    'request.method ~> $contains("get")',
    'warning IMPOSSIBLE: "GET"',
    'request.method ~> $contains("ET")',
  ],
  ["deny", 'request.method.$contains("get")', 'warning IMPOSSIBLE: "GET"', 'request.method.$contains("ET")'],
  [
    "deny",
    '($m := request.method; $m = "get")',
    'warning IMPOSSIBLE: "GET"',
    '($m := request.method; $m = "GET")',
  ],
  [
    "deny",
    '$lowercase(request.method) = "GET"',
    'warning IMPOSSIBLE: "get"',
    '$lowercase(request.method) = "get"',
  ],
  [
    "deny",
    '$lowercase(request.useragent) = "Bob"',
    'warning IMPOSSIBLE: "bob"',
    '$lowercase(request.useragent) = "b é"',
  ],
  [
    "deny",
    '$uppercase(request.useragent) in ["a"]',
    'warning IMPOSSIBLE: "A"',
    '$uppercase(request.useragent) in ["A"]',
  ],
  [
    "deny",
    '$contains($lowercase(request.useragent), "Bot")',
    'warning IMPOSSIBLE: "bot"',
    '$contains(request.useragent, "Bot")',
  ],
  // Addresses.
  [
    "deny",
    'source.ip = "10.0.0.0/8"',
    'warning IMPOSSIBLE: $cidr(source.ip, "10.0.0.0/8")',
    'source.ip = "10.0.0.0"',
  ],
  [
    "deny",
    'source.ip != "10.0.0.0/8"',
    'warning IMPOSSIBLE: $not($cidr(source.ip, "10.0.0.0/8"))',
    'source.ip != "::1"',
  ],
  [
    "deny",
    'source.ip = "10.0.*"',
    'warning IMPOSSIBLE: $cidr(source.ip, "10.0.0.0/16")',
    '$startsWith(source.ip, "10.0.")',
  ],
  [
    "deny",
    'source.ip in ["10.0.0.0/8", "::1"]',
    'warning IMPOSSIBLE: ($cidr(source.ip, "10.0.0.0/8") or source.ip = "::1")',
    '$cidr(source.ip, ["10.0.0.0/8", "::1"])',
  ],
  [
    "deny",
    '$startsWith(source.ip, "10.*")',
    'warning IMPOSSIBLE: $cidr(source.ip, "10.0.0.0/8")',
    '$startsWith(source.ip, "fe80:")',
  ],
  ["deny", 'source.ip = "::ffff:10.0.0.1"', 'warning IMPOSSIBLE: "10.0.0.1"', 'source.ip = "2001:db8::1"'],
  [
    "deny",
    'source.ip = "2001:DB8:0::1"',
    'warning IMPOSSIBLE: "2001:db8::1"',
    '$contains(source.ip, "2001:")',
  ],
  ["deny", 'source.ip = "10.0.0.1:80"', 'warning IMPOSSIBLE: "10.0.0.1"', 'source.ip = "10.0.0.1"'],
  ["deny", 'source.ip = "localhost"', "warning IMPOSSIBLE", 'source.ip = "127.0.0.1"'],
  // Schemes and other texts that are one of a few.
  ["deny", 'request.scheme = "HTTP"', 'warning IMPOSSIBLE: "http"', 'request.scheme = "http"'],
  [
    "deny",
    'request.scheme = "https://"',
    'warning IMPOSSIBLE: "https"',
    '$startsWith(request.scheme, "https")',
  ],
  [
    "deny",
    "$contains(request.scheme, /HTTP/)",
    "warning IMPOSSIBLE: /HTTP/i",
    "$contains(request.scheme, /s$/)",
  ],
  [
    "deny",
    'context.reporter.kind = "Inbound"',
    'warning IMPOSSIBLE: "inbound"',
    'context.reporter.kind = "inbound"',
  ],
  ["deny", 'context.protocol = "h2"', "warning IMPOSSIBLE", 'context.protocol = "grpc"'],
  // Hosts.
  [
    "deny",
    'request.host = "https://Example.com:443/a"',
    'warning IMPOSSIBLE: "example.com"',
    'request.host = "example.com"',
  ],
  [
    "deny",
    'request.host = "example.com:8080"',
    'warning IMPOSSIBLE: "example.com"',
    'request.host = "localhost"',
  ],
  [
    "deny",
    'request.host = "Example.com"',
    'warning IMPOSSIBLE: "example.com"',
    'request.host = "[2001:db8::1]"',
  ],
  ["deny", 'request.host = "example.com."', 'warning IMPOSSIBLE: "example.com"', 'request.host = "10.0.0.1"'],
  [
    "deny",
    'request.host = "*.example.com"',
    'warning IMPOSSIBLE: $endsWith(request.host, ".example.com")',
    '$glob(request.host, "*.example.com")',
  ],
  ["deny", '$endsWith(request.host, ":8080")', "warning IMPOSSIBLE", '$endsWith(request.host, ".com")'],
  [
    "deny",
    "$contains(request.host, /Example/)",
    "warning IMPOSSIBLE: /Example/i",
    "$contains(request.host, /Example/i)",
  ],
  [
    "deny",
    '$glob(request.host, "https://*.a.com")',
    'warning IMPOSSIBLE: "*.a.com"',
    '$glob(request.host, "*.a.com")',
  ],
  // Paths.
  [
    "allow",
    'request.url_path = "/a?page=2"',
    'warning IMPOSSIBLE: (request.url_path = "/a" and request.query_params."page" = "2")',
    'request.path = "/a?page=2"',
  ],
  [
    "allow",
    'request.url_path = "/café"',
    'warning IMPOSSIBLE: "/caf%C3%A9"',
    'request.url_path = "/caf%C3%A9"',
  ],
  ["allow", 'request.url_path = "/a?b&c"', 'warning IMPOSSIBLE: "/a"', 'request.url_path = "/a"'],
  [
    "allow",
    'request.url_path = "/admin/*"',
    'warning IMPOSSIBLE: $pathMatch(request.url_path, "/admin/*")',
    '$pathMatch(request.url_path, "/admin/*")',
  ],
  [
    "allow",
    'request.url_path = "/users/:id"',
    'warning IMPOSSIBLE: $pathMatch(request.url_path, "/users/{id}")',
    'request.url_path = "/v1/users:list"',
  ],
  [
    "allow",
    'request.url_path in ["/a/*", "/b"]',
    'warning IMPOSSIBLE: ($pathMatch(request.url_path, "/a/*") or request.url_path = "/b")',
    'request.url_path in ["/a", "/b"]',
  ],
  ["allow", 'request.url_path = "//a"', 'warning IMPOSSIBLE: "/a"', 'request.path = "/a?next=//b"'],
  ["allow", 'request.url_path = "/a/../b"', 'warning IMPOSSIBLE: "/b"', 'request.url_path = "/a/..b"'],
  ["allow", 'request.url_path = "/%61"', 'warning IMPOSSIBLE: "/a"', 'request.url_path = "/%C3%A9"'],
  ["allow", 'request.url_path = "/a b"', 'warning IMPOSSIBLE: "/a%20b"', 'request.url_path = "/a%20b"'],
  ["allow", 'request.url_path = "a"', 'warning IMPOSSIBLE: "/a"', 'request.url_path = "*"'],
  [
    "allow",
    '$startsWith(request.url_path, "a/")',
    'warning IMPOSSIBLE: "/a/"',
    '$endsWith(request.url_path, "a/")',
  ],
  [
    "allow",
    '$startsWith(request.url_path, "/a/*")',
    'warning IMPOSSIBLE: "/a/"',
    '$startsWith(request.url_path, "/a/")',
  ],
  [
    "deny",
    '$contains(request.path, "^/admin")',
    "warning IMPOSSIBLE: $contains(request.path, /^\\/admin/)",
    "$contains(request.path, /^\\/admin/)",
  ],
  [
    "deny",
    '$contains(request.useragent, "bot|(curl|wget)")',
    "warning IMPOSSIBLE: $contains(request.useragent, /bot|(curl|wget)/)",
    '$contains(request.useragent, "(compatible; Bot)")',
  ],
  [
    "deny",
    "$contains(request.url_path, /^admin/)",
    "warning IMPOSSIBLE: /^\\/admin/",
    "$contains(request.url_path, /^(\\/|)admin/)",
  ],
  [
    "deny",
    "$contains(request.url_path, /\\?debug/)",
    "warning IMPOSSIBLE",
    "$contains(request.path, /\\?debug/)",
  ],
  [
    "allow",
    '$pathMatch(request.url_path, "/users/:id")',
    'warning IMPOSSIBLE: "/users/{id}"',
    '$pathMatch(request.url_path, "/users/{id}")',
  ],
  [
    "allow",
    '$pathMatch(request.url_path, "/users/<int:id>/x")',
    'warning IMPOSSIBLE: "/users/{id}/x"',
    '$pathMatch(request.url_path, "/v1/{a=x/*}/**")',
  ],
  [
    "allow",
    '$pathMatch(request.url_path, "/a//b")',
    "warning IMPOSSIBLE",
    '$pathMatch(request.path, "/a/*/b")',
  ],
  [
    "allow",
    '$glob(request.url_path, "a/*")',
    'warning IMPOSSIBLE: "/a/*"',
    '$glob(request.url_path, "**/a")',
  ],
  [
    "deny",
    '$split(request.path, "/")[1] = "/admin"',
    'warning IMPOSSIBLE: "admin"',
    '$split(request.path, "/")[1] = "admin"',
  ],
  [
    "deny",
    '$substringBefore(request.path, "?") = "/a/?x"',
    'warning IMPOSSIBLE: "/a/"',
    '$substringBefore(request.path, "/b") = "/a"',
  ],
  // Times, identities, numbers.
  ["deny", 'request.time > "09:00"', "warning IMPOSSIBLE", 'request.time > "2026-01-31T09"'],
  [
    "deny",
    'request.time = "2026-01-01"',
    "warning IMPOSSIBLE",
    '$substring(request.time, 0, 10) = "2026-01-01"',
  ],
  [
    "deny",
    '$inZone(request.time, "UTC").weekdayName = "monday"',
    'warning IMPOSSIBLE: "Monday"',
    '$inZone(request.time, "UTC").weekdayName = "Monday"',
  ],
  [
    "deny",
    '$inZone(request.time, "UTC").weekdayName in ["Sat"]',
    'warning IMPOSSIBLE: "Saturday"',
    '$inZone(request.time, "UTC").weekday in [6, 7]',
  ],
  [
    "allow",
    'source.principal = "spiffe://a/ns/b"',
    'warning IMPOSSIBLE: "a/ns/b"',
    'source.principal = "a/ns/b"',
  ],
  [
    "allow",
    'request.auth.principal = "bob"',
    'warning IMPOSSIBLE: $endsWith(request.auth.principal, "/bob")',
    'request.auth.principal = "https://a/bob"',
  ],
  ["deny", "destination.port = 80443", "warning IMPOSSIBLE", "destination.port = 8443"],
  [
    "deny",
    'request.headers."x-role" in "admin,dev"',
    'warning IMPOSSIBLE: ["admin", "dev"]',
    'request.headers."x-role" in ["admin", "dev"]',
  ],
  // Calls that are of the right types.
  [
    "deny",
    '$startsWith("/admin", request.url_path)',
    'warning ARGUMENT: $startsWith(request.url_path, "/admin")',
    '$startsWith(request.url_path, "/admin")',
  ],
  [
    "deny",
    '$contains("GET,HEAD", request.method)',
    'warning ARGUMENT: request.method in ["GET", "HEAD"]',
    '$contains(request.method, "E")',
  ],
  [
    "deny",
    '$cidr("10.0.0.0/8", source.ip)',
    'warning ARGUMENT: $cidr(source.ip, "10.0.0.0/8")',
    '$cidr("10.0.0.1", ["10.0.0.0/8"])',
  ],
  [
    "deny",
    "$count(request.headers) > 50",
    "warning ARGUMENT: $count($keys(request.headers))",
    "$count($keys(request.headers)) > 50",
  ],
  [
    "deny",
    "$count(request.path) > 50",
    "warning ARGUMENT: $length(request.path)",
    '$count($split(request.path, "/")) > 50',
  ],
  ["deny", "$number(request.method) > 3", "error ARGUMENT", '$number(request.headers."x-n" ?? "0") > 3'],
  [
    "deny",
    "$number(request.time) > 3",
    "error ARGUMENT: $toMillis(request.time)",
    "$toMillis(request.time) > 3",
  ],
  ["deny", "$exists(request.method)", "warning CONSTANT", "$exists(request.useragent)"],
  [
    "deny",
    '$exists(request.useragent = "bob")',
    'warning CONSTANT: request.useragent = "bob"',
    '$exists(request.headers."x")',
  ],
  [
    "deny",
    '$exists("request.referer")',
    "warning CONSTANT: $exists(request.referer)",
    "$exists(request.referer)",
  ],
  [
    "allow",
    '$contains(request.auth.claims.roles, "a")',
    'warning ARGUMENT: "a" in request.auth.claims.roles',
    '"a" in request.auth.claims.roles',
  ],
  [
    "deny",
    '$not(request.method = "GET") or $not(request.method = "PUT")',
    'warning CONSTANT: $not(request.method in ["GET", "PUT"])',
    '$not(request.method = "GET") and $not(request.method = "PUT")',
  ],
  // Wildcards in other texts.
  [
    "allow",
    'request.auth.claims.email = "*@a.com"',
    'warning IMPOSSIBLE: $glob(request.auth.claims.email, "*@a.com")',
    '$glob(request.auth.claims.email, "*@a.com")',
  ],
  [
    "deny",
    'request.useragent in ["curl/*", "x"]',
    'warning IMPOSSIBLE: ($glob(request.useragent, "curl/*") or request.useragent = "x")',
    'request.headers.accept = "text/*"',
  ],
  [
    "allow",
    'request.headers."x-user" = "*"',
    'warning IMPOSSIBLE: $exists(request.headers."x-user")',
    'request.headers."if-match" = "*"',
  ],
  // Claims.
  [
    "allow",
    "request.auth.claims.exp > request.time",
    "warning TYPE: $toMillis(request.time) / 1000",
    "request.auth.claims.exp > $toMillis(request.time) / 1000",
  ],
  [
    "allow",
    "request.time < request.auth.claims.exp",
    "warning TYPE: $toMillis(request.time) / 1000",
    "$toMillis(request.time) / 1000 < request.auth.claims.exp",
  ],
  [
    "allow",
    'request.auth.claims.email_verified = "true"',
    "warning TYPE: true",
    "request.auth.claims.email_verified = true",
  ],
  [
    "allow",
    'request.auth.claims.auth_time in ["17"]',
    "warning TYPE: 17",
    "request.auth.claims.auth_time in [17]",
  ],
  ["allow", "request.auth.claims.sub = 7", 'warning TYPE: "7"', 'request.auth.claims.sub = "7"'],
  [
    "allow",
    'request.auth.claims.aud = "a"',
    'warning TYPE: "a" in request.auth.claims.aud',
    '"a" in request.auth.claims.aud',
  ],
  // Names.
  [
    "deny",
    'request.headers.":path" = "/a"',
    "warning UNKNOWN_ATTRIBUTE: request.path",
    'request.headers."x-path" = "/a"',
  ],
  [
    "deny",
    'request.headers.authorisation = "x"',
    'warning UNKNOWN_ATTRIBUTE: request.headers."authorization"',
    'request.headers.authorization = "x"',
  ],
  [
    "deny",
    'request.headers."x-role " = "x"',
    'warning UNKNOWN_ATTRIBUTE: request.headers."x-role"',
    'request.headers."x-role_1.a~" = "x"',
  ],
  [
    "deny",
    'request.headers."\u0445-role" = "x"',
    "warning UNKNOWN_ATTRIBUTE",
    'request.headers."h-role" = "x"',
  ],
  [
    "deny",
    'request.headers."user_agent" = "x"',
    'warning UNKNOWN_ATTRIBUTE: request.headers."user-agent"',
    'request.headers."x-user" = "x"',
  ],
  [
    "deny",
    '$lookup(request.headers, "Cookies") = "x"',
    'warning UNKNOWN_ATTRIBUTE: request.headers."cookie"',
    '$lookup(request.headers, "cookie") = "x"',
  ],
  [
    "deny",
    'request.headers["x-user"] = "bob"',
    'error TYPE: request.headers."x-user"',
    'request.headers."x-user" = "bob"',
  ],
  [
    "deny",
    '$exists(request.auth.claims["sub"])',
    "error TYPE: request.auth.claims.sub",
    "$exists(request.auth.claims.sub)",
  ],
  ["deny", "request.method = GET", 'error UNKNOWN_ATTRIBUTE: "GET"', 'request.method = "GET"'],
  [
    "deny",
    "source.namespace = foo-bar",
    'error UNKNOWN_ATTRIBUTE: "foo-bar"',
    "source.namespace = destination.namespace",
  ],
  [
    "deny",
    "request.host = example.com",
    'error UNKNOWN_ATTRIBUTE: "example.com"',
    "request.host = destination.service.host",
  ],
  ["deny", "connection.mtls = True", "error UNKNOWN_ATTRIBUTE: true", "connection.mtls = true"],
  // Patterns that are compared.
  [
    "deny",
    "request.url_path = /^\\/a/",
    "error TYPE: $contains(request.url_path, /^\\/a/)",
    "$contains(request.url_path, /^\\/a/)",
  ],
  [
    "deny",
    "request.url_path != /^\\/a/",
    "error TYPE: $not($contains(request.url_path, /^\\/a/))",
    "$not($contains(request.url_path, /^\\/a\\//))",
  ],
  [
    "deny",
    "request.url_path in /^\\/a/",
    "error TYPE: $contains(request.url_path, /^\\/a/)",
    "$contains(request.url_path, /a/)",
  ],
  [
    "deny",
    'request.headers."x" = true',
    'error TYPE: request.headers."x" = "true"',
    'request.headers."x" = "true"',
  ],
];

/** Expressions that resemble a mistake, or caused a false warning once, and are correct. */
const RIGHT: readonly (readonly [purpose: Purpose, source: string])[] = [
  ["deny", '$inZone(request.time, "Europe/Berlin").hour < 9'],
  ["deny", '$not($inZone(request.time, "Europe/Berlin").hour < 9)'],
  ["deny", '($t := $inZone(request.time, "UTC"); $t.hour < 9 or $t.weekday > 5)'],
  ["deny", '$not($timeBetween(request.time, "UTC", "09:00", "17:00"))'],
  ["deny", 'request.time > "2026"'],
  ["deny", "$exists($match(request.path, /a/))"],
  ["deny", '$contains(request.path, "//")'],
  ["deny", '$contains(request.path, "..")'],
  ["deny", 'request.headers.accept = "*/*"'],
  ["deny", '$startsWith(request.url_path, "/api/v")'],
  ["allow", '$startsWith(request.url_path, "/static/img_")'],
  ["deny", 'request.url_path = "/"'],
  ["deny", 'request.method = "GET" or request.method = "PUT" and connection.mtls'],
  ["deny", '$lookup(request.headers, "x-user") = "Bob"'],
  ["deny", '$split(request.url_path, "/")[1] in ["admin", "..a", "v1.0"]'],
  ["deny", '$contains(request.url_path, "users/") and $contains(request.url_path, /[?]?x/)'],
  ["deny", '$substring(request.url_path, 1, 5) = "admin"'],
  ["deny", '$substringAfter(request.host, ".") = "example.com"'],
  ["allow", 'request.headers.origin = "https://Shop.example.com:443"'],
  ["deny", '$join(["a", request.method]) = "a-get" or ("x" & request.method) = "xget"'],
  ["deny", '(request.headers."x-tier" ?? "Free") != "gold"'],
  ["deny", "$count(request.auth.claims.roles) > 0"],
];

const PURPOSES: Readonly<Record<string, Purpose>> = { DENY: "deny", ALLOW: "allow", AUDIT: "audit" };

/** The conditions of the policies in docs/ and policies/examples/. */
function* shownConditions(): Generator<{ readonly source: string; readonly purpose: Purpose }> {
  const pages = readdirSync("docs", { encoding: "utf8", recursive: true })
    .filter((name) => name.endsWith(".md"))
    .map((name) => readFileSync(`docs/${name}`, "utf8"));
  const fenced = pages.flatMap((page) =>
    [...page.matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, text = ""]) => text),
  );
  const examples = readdirSync("policies/examples").map((name) =>
    readFileSync(`policies/examples/${name}`, "utf8"),
  );
  for (const document of [...fenced, ...examples].flatMap((text) => parseAllDocuments(text))) {
    const { kind, spec } = (document.toJS() ?? {}) as { kind?: string; spec?: Record<string, unknown> };
    if (spec === undefined || (kind !== "AccessPolicy" && kind !== "QuotaPolicy")) continue;
    const { action, match, when } = spec;
    const purpose = PURPOSES[String(action)] ?? "match";
    if (typeof match === "string") yield { source: match, purpose: purpose === "allow" ? "match" : purpose };
    if (typeof when === "string" && !/\$(?:now|millis)\(/.test(when)) yield { source: when, purpose };
  }
}

describe("the mistakes that the checker knows", () => {
  itKnows(MISTAKES);

  for (const [purpose, source] of RIGHT) {
    it(`is silent on (${purpose}) ${source}`, () => {
      assert.deepEqual(checkedBuiltIn(source, purpose).map(describeFinding), []);
    });
  }

  it("are in no policy that the pages and the examples show", () => {
    let conditions = 0;
    for (const { source, purpose } of shownConditions()) {
      conditions++;
      const codes = checkedBuiltIn(source, purpose)
        .map(({ code }) => code)
        .filter((code) => code !== "PURSER_EXPR_UNKNOWN_ATTRIBUTE");
      assert.deepEqual(codes, [], `${purpose}: ${source}`);
    }
    assert.ok(conditions > 10, `${conditions} conditions`);
  });

  it("are shown where the attributes are computed with no manifest's help", () => {
    for (const source of ['$lowercase("A" & "b") = "Ab"', '$split("a,b", ",")[0] = "a,b"'])
      assert.deepEqual(
        checkedBuiltIn(source, "any").map(({ code }) => code),
        ["PURSER_EXPR_IMPOSSIBLE"],
      );
  });
});
