// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type DecisionRequest, principalOf, serviceName, POLICIES_A_SERVICE } from "./rules.ts";

const REQUESTS = 32;

/** Requests to services spread over all `policies`; about half of them are allowed. */
export function decisionRequests(policies: number): readonly DecisionRequest[] {
  const services = policies / POLICIES_A_SERVICE;
  return Array.from({ length: REQUESTS }, (_, turn) => {
    const index = Math.floor((turn * services) / REQUESTS);
    const kind = KINDS[turn % KINDS.length] as (typeof KINDS)[number];
    return {
      ...BASE,
      principal: principalOf("shop", `web-${index}`),
      service: serviceName(index),
      ...kind(index),
    };
  });
}

const BASE = { method: "GET", path: "/", namespace: "shop", roles: [] } as const;
const api = (index: number): string => `/api/v${(index % 3) + 1}/items/42`;

const KINDS: readonly ((index: number) => Partial<DecisionRequest>)[] = [
  // A reader reads: allowed.
  (index) => ({ path: api(index), principal: principalOf("shop", "other") }),
  // A user without a role writes: no ALLOW policy holds.
  (index) => ({
    method: "POST",
    path: api(index),
    principal: principalOf("shop", "other"),
    roles: ["editor"],
  }),
  // An editor writes: allowed.
  (index) => ({ method: "POST", path: api(index), roles: ["reader", "editor"], tier: "gold" }),
  // An editor deletes: denied.
  (index) => ({ method: "DELETE", path: api(index), roles: ["editor"] }),
  // A reader of another API version: no ALLOW policy holds.
  (index) => ({ method: "HEAD", path: api(index + 1), tier: "free" }),
  // An editor of an internal path, from outside: denied.
  () => ({ method: "PUT", path: "/internal/jobs", roles: ["editor"] }),
  // A blocked reader: denied.
  (index) => ({ path: api(index), tier: "blocked" }),
  // An editor of this service reads a path beside the API: allowed.
  () => ({ path: "/health", roles: ["editor", "admin"] }),
];
