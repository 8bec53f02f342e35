// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Case } from "./case.ts";

/** Conditions in `match` and `when`: most evaluations of a policy engine. */
export const CONDITIONS: readonly Case[] = [
  { name: "a path", source: "request.method" },
  { name: "a quoted name", source: 'request.headers."x-user"' },
  { name: "a long path", source: "request.auth.claims.sub" },
  { name: "a service", source: 'destination.service.name = "reviews"' },
  {
    name: "a service and a method",
    source: 'destination.service.name = "reviews" and request.method = "GET"',
  },
  { name: "not this method", source: 'request.method != "GET"' },
  { name: "a list of methods", source: 'request.method in ["GET", "HEAD", "OPTIONS"]' },
  {
    name: "a list and a label",
    source: 'request.method in ["POST", "PUT"] and source.labels.version = "v1"',
  },
  { name: "not in a list", source: '$not(request.method in ["GET", "HEAD"])' },
  { name: "a role of several", source: '"admin" in request.auth.claims.roles' },
  { name: "an audience", source: '"shop" in request.auth.claims.aud' },
  { name: "either of two", source: 'source.namespace = "shop" or source.namespace = "platform"' },
  {
    name: "principals",
    source:
      'source.principal in ["cluster.local/ns/shop/sa/productpage", "cluster.local/ns/shop/sa/cart"] and connection.mtls',
  },
  {
    name: "is there",
    source: '$exists(request.headers."x-user") and request.headers."x-user" != ""',
  },
  { name: "is not there", source: "$not($exists(request.auth.claims))" },
  { name: "as a boolean", source: "$boolean(request.api_key)" },
  { name: "too big", source: "request.size > 10240" },
  { name: "a range of sizes", source: "request.size >= 1 and request.size <= 65536" },
  { name: "old enough", source: "request.auth.claims.age < 18" },
  { name: "not expired", source: "request.auth.claims.exp > $toMillis(request.time) / 1000" },
  {
    name: "by kind of request",
    source:
      'request.method = "GET" ? true : request.auth.claims.role = "editor" or "admin" in request.auth.claims.roles',
  },
  {
    name: "a deep condition",
    source:
      '(destination.service.name = "reviews" or destination.service.name = "ratings") and ($exists(request.auth.claims.sub) and $not(source.labels.version = "v0")) and (request.method = "GET" or request.headers."x-group" = "staff")',
  },
  {
    name: "a bound list",
    source: "request.auth.claims.sub in $blocked",
    bindings: { blocked: ["mallory", "trent", "bob"] },
  },
  {
    name: "a bound limit",
    source: "request.size > $limits.bytes",
    bindings: { limits: { bytes: 4_096 } },
  },
];
