// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { checkText } from "../../../cli/compose/part-config.ts";
import type { Snapshot } from "../../../core/snapshot/snapshot.ts";
import { type FleetPolicies, RESERVED, SLOT_LEASE_MS } from "./plan.ts";

const snapshots = new Map<string, Snapshot>();

/** The documents of a fleet, compiled as `purser` compiles them; each set once. */
export function fleetSnapshot(policies: FleetPolicies): Snapshot {
  const text = documentsOf(policies);
  let snapshot = snapshots.get(text);
  if (snapshot === undefined) {
    const checked = checkText({ path: "fleet.yaml", text });
    if (!checked.ok) throw new Error(checked.diagnostics.map(({ message }) => message).join("\n"));
    snapshot = { ...checked.value, version: `v${snapshots.size}` };
    snapshots.set(text, snapshot);
  }
  return snapshot;
}

function documentsOf(policies: FleetPolicies): string {
  const { algorithm, windowMs, leaseMs, limit, slotLimit } = policies;
  const counted = `limit: ${limit}, window: ${windowMs}ms, algorithm: ${algorithm}, lease: ${leaseMs}ms`;
  const specs = {
    calls: `${counted}, giveBackOn: failure`,
    tokens: `${counted}, reserve: ${RESERVED}, charge: response.body.usage.total_tokens, giveBackOn: never`,
    slots: `limit: ${slotLimit}, algorithm: concurrency, lease: ${SLOT_LEASE_MS}ms`,
  };
  return (["calls", "tokens", "slots"] as const)
    .filter((name) => policies[name])
    .map(
      (name) =>
        `apiVersion: purser.dev/v1\nkind: QuotaPolicy\nmetadata: { name: ${name} }\n` +
        `spec: { ${specs[name]}, onStoreFailure: deny }\n`,
    )
    .join("---\n");
}
