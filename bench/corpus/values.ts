// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Case } from "./case.ts";

/** Expressions of limits, dimensions, labels and log entries: values, not conditions. */
export const VALUES: readonly Case[] = [
  {
    name: "a limit by tier",
    source: 'request.headers."x-tier" = "gold" ? 1000 : request.headers."x-tier" = "silver" ? 100 : 10',
  },
  { name: "or else by presence", source: 'request.headers."x-user" ?? "anonymous"' },
  { name: "or else by truth", source: 'request.headers."x-user" ?: "anonymous"' },
  { name: "a charge by size", source: "request.size > 0 ? 1 + $floor(request.size / 1024) : 1" },
  {
    name: "dimensions",
    source:
      '{"service": destination.service.name, "method": request.method, "version": destination.labels.version ?? "unknown"}',
  },
  {
    name: "dimensions with the day",
    source:
      '{"day": $substring($now(), 0, 10), "user": request.headers."x-user" ?? "none", "method": request.method}',
  },
  {
    name: "a log entry",
    source:
      '{"who": request.auth.claims.sub, "what": request.method & " " & request.url_path, "from": source.workload.name, "roles": request.auth.claims.roles[]}',
  },
  { name: "the time of day", source: "$number($substring(request.time, 11, 2)) >= 22" },
  { name: "the time as text", source: "$fromMillis($toMillis(request.time) + 60000)" },
  { name: "a clock that runs", source: "$millis() > 1700000000000" },
  { name: "age of the token", source: "$toMillis(request.time) - request.auth.claims.iat * 1000" },
  { name: "how many", source: "$count(request.auth.claims.roles) > 1" },
  {
    name: "how many of them",
    source: '$count($filter(request.auth.claims.roles, function($role) { $role != "reader" })) > 0',
  },
  { name: "a predicate", source: 'request.auth.claims.roles[$ = "admin"]' },
  { name: "mapped", source: "$map(request.auth.claims.roles, function($role) { $uppercase($role) })" },
  { name: "a sum", source: "$sum([request.size, $length(request.path)])" },
  { name: "distinct", source: "$distinct($append(request.auth.claims.roles, request.auth.claims.role))" },
  {
    name: "a block",
    source: '($user := request.headers."x-user"; $group := request.headers."x-group"; $user & "@" & $group)',
  },
  {
    name: "a block that decides",
    source:
      '($roles := request.auth.claims.roles; $own := $contains(request.url_path, "/reviews/"); $own and ("editor" in $roles or "admin" in $roles))',
  },
];
