// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  checkedBuiltIn,
  describeFinding,
  itKnows,
  type Mistake,
} from "../../../test/support/checked-expression.ts";
import type { Purpose } from "../finding.ts";

const HOST_OR_BELOW = '(request.host = "example.com" or $endsWith(request.host, ".example.com"))';
const ADMIN = "$contains(request.url_path, /^\\/admin(\\/|$)/)";
const PUBLIC = "$contains(request.url_path, /^\\/public(\\/|$)/)";
const ROLES = '"admin" in $split(request.headers."x-role", /\\s*,\\s*/)';

const MISTAKES: readonly Mistake[] = [
  // Path conditions that can be bypassed.
  ["deny", 'request.url_path = "/admin"', `warning BYPASS: ${ADMIN}`, ADMIN],
  [
    "deny",
    "$contains(request.url_path, /^\\/admin$/)",
    `warning BYPASS: ${ADMIN}`,
    'request.url_path in ["/admin", "/admin/"]',
  ],
  [
    "match",
    'request.url_path = "/admin"',
    `warning BYPASS: ${ADMIN}`,
    'request.url_path = "/admin" or $startsWith(request.url_path, "/admin/")',
  ],
  [
    "allow",
    '$not(request.url_path = "/admin")',
    `warning BYPASS: ${ADMIN}`,
    '$not($startsWith(request.url_path, "/admin"))',
  ],
  ["allow", 'request.url_path != "/admin"', `warning BYPASS: $not(${ADMIN})`, 'request.url_path = "/admin"'],
  [
    "deny",
    'request.path = "/robots.txt"',
    'warning BYPASS: request.url_path = "/robots.txt"',
    'request.url_path = "/robots.txt"',
  ],
  [
    "deny",
    "$contains(request.path, /^\\/admin(\\/|$)/)",
    `warning BYPASS: ${ADMIN}`,
    "$contains(request.path, /^\\/admin([\\/?]|$)/)",
  ],
  [
    "deny",
    '$endsWith(request.path, ".php")',
    'warning BYPASS: $endsWith(request.url_path, ".php")',
    '$contains(request.path, ".php")',
  ],
  [
    "allow",
    '$startsWith(request.url_path, "/public")',
    `warning BYPASS: ${PUBLIC}`,
    '$startsWith(request.url_path, "/public/")',
  ],
  ["allow", "$contains(request.path, /^\\/public/)", `warning BYPASS: ${PUBLIC}`, PUBLIC],
  ["deny", '$not($startsWith(request.url_path, "/public"))', `warning BYPASS: ${PUBLIC}`, `$not(${PUBLIC})`],
  [
    "allow",
    '$glob(request.url_path, "/public**")',
    `warning BYPASS: ${PUBLIC}`,
    '$glob(request.url_path, "/public/**")',
  ],
  [
    "allow",
    '$contains(request.url_path, "/public/")',
    'warning BYPASS: $startsWith(request.url_path, "/public/")',
    '$pathMatch(request.url_path, "/public/**")',
  ],
  [
    "allow",
    '$endsWith(request.path, ".css")',
    'warning BYPASS: $endsWith(request.url_path, ".css")',
    '$endsWith(request.url_path, ".css")',
  ],
  // Tests that admit too many hosts and addresses.
  ["allow", "$contains(request.host, /example.com/)", `warning BYPASS: ${HOST_OR_BELOW}`, HOST_OR_BELOW],
  [
    "allow",
    '$contains(request.host, "example.com")',
    `warning BYPASS: ${HOST_OR_BELOW}`,
    '$endsWith(request.host, ".example.com")',
  ],
  [
    "allow",
    "$contains(request.host, /example\\.com$/)",
    `warning BYPASS: ${HOST_OR_BELOW}`,
    "$contains(request.host, /\\.example\\.com$/)",
  ],
  [
    "allow",
    "$contains(request.host, /^example\\.com/)",
    `warning BYPASS: ${HOST_OR_BELOW}`,
    "$contains(request.host, /^(.+\\.)?example\\.com$/)",
  ],
  [
    "allow",
    "$contains(request.host, /^example.com$/)",
    `warning BYPASS: ${HOST_OR_BELOW}`,
    "$contains(request.host, /^example\\.com$/)",
  ],
  [
    "allow",
    '$endsWith(request.host, "example.com")',
    `warning BYPASS: ${HOST_OR_BELOW}`,
    'request.host = "example.com"',
  ],
  [
    "allow",
    '$glob(request.host, "*example.com")',
    `warning BYPASS: ${HOST_OR_BELOW}`,
    '$glob(request.host, "*.example.com")',
  ],
  [
    "deny",
    '$exists(request.host) and $not($endsWith(request.host, "example.com"))',
    `warning BYPASS: ${HOST_OR_BELOW}`,
    '$endsWith(request.host, "example.com")',
  ],
  [
    "allow",
    '$startsWith(source.ip, "10.1")',
    'warning BYPASS: $cidr(source.ip, "10.1.0.0/16")',
    '$startsWith(source.ip, "10.1.")',
  ],
  [
    "allow",
    "$contains(source.ip, /^10.1./)",
    'warning BYPASS: $cidr(source.ip, "10.1.0.0/16")',
    "$contains(source.ip, /^10\\.1\\./)",
  ],
  // Precedence of `and` and `or`.
  [
    "allow",
    'request.method = "GET" or request.method = "PUT" and connection.mtls',
    'warning BYPASS: (request.method = "GET" or request.method = "PUT") and connection.mtls',
    'request.method = "GET" or (request.method = "PUT" and connection.mtls)',
  ],
  [
    "allow",
    'connection.mtls and request.method = "GET" or request.method = "PUT"',
    'warning BYPASS: connection.mtls and (request.method = "GET" or request.method = "PUT")',
    'connection.mtls and request.method = "GET" or connection.mtls and request.method = "PUT"',
  ],
  // Headers with several values, joined into one text.
  [
    "allow",
    '$contains(request.headers."x-role", "admin")',
    `warning BYPASS: ${ROLES}`,
    '$contains(request.headers.accept, "json")',
  ],
  [
    "allow",
    '$contains(request.headers."x-role", /admin/)',
    `warning BYPASS: ${ROLES}`,
    '$contains(request.headers."x-role", /^admin$/)',
  ],
  ["deny", '"admin" in $split(request.headers."x-role", ",")', "warning BYPASS: /\\s*,\\s*/", ROLES],
  [
    "allow",
    '$cidr(request.headers."x-forwarded-for", "10.0.0.0/8")',
    "warning BYPASS: origin.ip",
    '$cidr(origin.ip, "10.0.0.0/8")',
  ],
  [
    "deny",
    '$split(request.headers."x-forwarded-for", ",")[0] = "10.0.0.1"',
    "warning BYPASS: origin.ip",
    'origin.ip = "10.0.0.1"',
  ],
  [
    "deny",
    'request.headers.host = "a.example.com"',
    "warning BYPASS: request.host",
    'request.host = "a.example.com"',
  ],
];

/** Conditions that no request bypasses, or that decide nothing. */
const RIGHT: readonly (readonly [purpose: Purpose, source: string])[] = [
  ["deny", '$pathMatch(request.url_path, "/admin") or $pathMatch(request.url_path, "/admin/**")'],
  ["deny", '(request.url_path = "/admin" or $startsWith(request.url_path, "/admin/")) and connection.mtls'],
  ["deny", "$contains(request.url_path, /^\\/admin/)"],
  ["deny", 'request.url_path = "/"'],
  ["allow", '$startsWith(request.url_path, "/static/img_")'],
  ["deny", 'request.method = "GET" or request.method = "PUT" and connection.mtls'],
  ["allow", 'request.headers."x-role" = "admin"'],
  ["audit", 'request.url_path = "/admin"'],
  ["any", '$contains(request.host, "example.com")'],
];

describe("conditions that can be bypassed", () => {
  itKnows(MISTAKES);

  for (const [purpose, source] of RIGHT) {
    it(`are not (${purpose}) ${source}`, () => {
      assert.deepEqual(checkedBuiltIn(source, purpose).map(describeFinding), []);
    });
  }

  it("are found in long conditions without comparing all with all", () => {
    const tests = Array.from({ length: 240 }, (_, at) =>
      at < 30
        ? `$contains(request.url_path, /^\\/p${at}(x|y)?$/)`
        : `request.url_path in ["/p${at}", "/q${at}"]`,
    );
    const started = performance.now();
    checkedBuiltIn(tests.join(" or "), "deny");
    assert.ok(performance.now() - started < 5_000);
  });
});
