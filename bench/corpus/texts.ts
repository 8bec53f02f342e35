// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Case } from "./case.ts";

/** Text functions over paths, user agents, names and keys. */
export const TEXTS: readonly Case[] = [
  { name: "a prefix", source: '$substring(request.url_path, 0, 8) = "/api/v1/"' },
  { name: "contains", source: '$contains(request.url_path, "/admin")' },
  { name: "a pattern", source: "$contains(request.url_path, /^\\/api\\/v[0-9]+\\//)" },
  {
    name: "a pattern, whatever the case",
    source: "$exists(request.useragent) and $contains(request.useragent, /bot|crawler/i)",
  },
  { name: "lower case", source: '$contains($lowercase(request.useragent), "bot")' },
  { name: "upper case", source: '$uppercase(source.labels.app) = "PRODUCTPAGE"' },
  { name: "what a pattern found", source: "$match(request.url_path, /^\\/api\\/(v[0-9]+)\\//).groups[0]" },
  { name: "a segment", source: '$split(request.url_path, "/")[2]' },
  { name: "a scope of several", source: '"reviews:write" in $split(request.auth.claims.scope, " ")' },
  { name: "before", source: '$substringBefore(request.host, ":")' },
  { name: "after", source: '$substringAfter(request.auth.claims.email, "@")' },
  { name: "replaced", source: '$replace(request.url_path, /[0-9]+/, "{id}")' },
  { name: "replaced text", source: '$replace(request.host, ".example.com", "")' },
  { name: "joined", source: '$join(request.auth.claims.aud, ",")' },
  { name: "length", source: "$length(request.path) > 20" },
  { name: "trimmed", source: '$trim(request.headers."x-group")' },
  { name: "a number", source: '$number(request.headers."content-length") > 1024' },
  { name: "a number as text", source: '"size=" & $string(request.size)' },
  {
    name: "a key",
    source: 'destination.service.name & "/" & request.method & "/" & (request.headers."x-user" ?? source.ip)',
  },
  { name: "a message", source: '"ratings is read-only, not for " & request.method' },
];
