// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag, AttributeValue } from "../../core/attributes/bag.ts";
import type { Snapshot } from "../../core/snapshot/snapshot.ts";
import { expressionsOf } from "./documents.ts";

/** A signed-in user's request for one page of a service, and its response; docs/guides/operations.md shows it. */
export const DEFAULT_BAG = {
  source: {
    ip: "10.12.4.7",
    namespace: "default",
    principal: "cluster.local/ns/default/sa/web",
    labels: { app: "web", version: "v1" },
  },
  destination: {
    ip: "10.12.9.31",
    port: 9080,
    namespace: "default",
    labels: { app: "reviews", version: "v1" },
    service: { name: "reviews", namespace: "default", host: "reviews.default.svc.cluster.local" },
  },
  request: {
    id: "7c1f3f0e-8a53-4e35-9a0c-0f2b6f9be2a1",
    method: "GET",
    scheme: "https",
    host: "reviews.default.svc.cluster.local",
    path: "/api/v1/reviews/42?lang=en",
    url_path: "/api/v1/reviews/42",
    query_params: { lang: "en" },
    headers: { host: "reviews", "user-agent": "curl/8.5.0", "x-user": "ann", "x-group": "staff" },
    useragent: "curl/8.5.0",
    time: "2026-05-04T09:30:11.250Z",
    size: 0,
    auth: {
      principal: "https://id.example.com/ann",
      claims: { sub: "ann", roles: ["reader"], role: "reader" },
    },
  },
  response: { code: 200, size: 512, duration: 12, headers: { "content-type": "application/json" } },
} as const satisfies AttributeBag;

const MAX_BAGS = 64;
const SERVICE = /destination\.service\.name\s*=\s*(?:"([^"\\]*)"|'([^'\\]*)')/g;

/**
 * The default bag, once for each service named in the documents (at most 64), so that policies have something
 * to decide.
 */
export function synthesizedBags(snapshot: Snapshot): readonly AttributeBag[] {
  const { accessPolicies, quotaPolicies, rules } = snapshot;
  const names = new Set<string>();
  for (const document of [...accessPolicies, ...quotaPolicies, ...rules])
    for (const { source } of expressionsOf(document))
      for (const [, double, single] of source.matchAll(SERVICE)) names.add((double ?? single) as string);
  if (names.size === 0) return [DEFAULT_BAG];
  return [...names].slice(0, MAX_BAGS).map((name) => {
    const service: AttributeValue = { ...DEFAULT_BAG.destination.service, name };
    return { ...DEFAULT_BAG, destination: { ...DEFAULT_BAG.destination, service } };
  });
}
