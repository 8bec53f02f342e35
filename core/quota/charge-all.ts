// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";
import { attempt, chain, chainWith, type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import { callId } from "./call-id.ts";
import type { Demand, NamedStore } from "./demand.ts";
import { localShare } from "./local-share.ts";
import type { QuotaOutcome } from "./quota-charge.ts";
import type { QuotaGrant, QuotaRequest, QuotaStore } from "./quota.ts";
import { fallsShort } from "./refusal.ts";

export interface ChargeOptions {
  /** The same id for a call and all its retries; empty for a call that is never repeated. */
  readonly deduplicationId: string;
  /** Store for `onStoreFailure: local`; its counts are this node's only. */
  readonly localStore: QuotaStore;
  /** Number of nodes that share a limit while its store is unavailable. */
  readonly nodes: number;
  readonly observer?: StoreObserver;
}

/** Called with each store's result; for logs and statistics. Must not throw. */
export interface StoreObserver {
  readonly answered?: (store: string) => void;
  readonly failed?: (store: string, error: unknown) => void;
  /** A store did not take back the grants of a refused request: they count until their window ends. */
  readonly notReturned?: (store: string, error: unknown) => void;
}

/** Retry delay when a failed store refuses: about the time of a restart. */
export const STORE_RETRY_AFTER_MS = 1_000;

/** Demands on one store that are granted all or nothing, with their positions among all demands. */
interface Group {
  readonly store: NamedStore;
  readonly mode: Demand["mode"];
  /** Identifies the group among those of its store; see CallPart. */
  readonly purpose: string;
  readonly demands: Demand[];
  readonly positions: number[];
}

/** A demand's outcome, with the information to undo it. */
interface Charged {
  readonly outcome: QuotaOutcome;
  readonly mode: Demand["mode"];
  /** The request as sent to `heldBy`, the store that counted it; undefined when none did. */
  readonly request: QuotaRequest;
  readonly heldBy: NamedStore | undefined;
}

/**
 * Charges all quotas of one request, or none. Each store is asked once, all concurrently. Enforced demands
 * are all or nothing over all stores: when one is refused, the grants of the others are given back before the
 * answer. Shadow demands are counted separately. When a store fails, each demand's `onStoreFailure` decides.
 *
 * @returns One outcome for each demand, in order. Synchronous when every store is. Never rejects.
 */
export function chargeAll(
  demands: readonly Demand[],
  options: ChargeOptions,
): MaybePromise<readonly QuotaOutcome[]> {
  if (demands.length === 0) return [];
  const groups = groupDemands(demands);
  const [only] = groups;
  // Fast path: most requests charge one store, whose group has all demands in their order.
  if (only !== undefined && groups.length === 1)
    return chainWith(ask(only, options), settle, options, undefined);
  // Ask all stores before awaiting any answer.
  const asked = groups.map((group) => ({ group, answer: ask(group, options) }));
  const all: Charged[] = [];
  const answered = reduceInOrder(asked, all, (_, { group, answer }) =>
    chain(answer, (charged) => {
      for (const [index, position] of group.positions.entries()) all[position] = charged[index] as Charged;
      return all;
    }),
  );
  return chain(answered, () => settle(all, options));
}

/** The outcomes, after the grants of the others are given back if one demand is refused. */
function settle(all: readonly Charged[], options: ChargeOptions): MaybePromise<readonly QuotaOutcome[]> {
  return all.some(isRefused) ? undo(all, options) : all.map(({ outcome }) => outcome);
}

/** Whether an enforced demand, not best effort, got less than it asked for. */
function isRefused({ mode, request: { amount, bestEffort }, outcome }: Charged): boolean {
  return mode === "enforce" && !bestEffort && amount > 0 && fallsShort(amount, outcome);
}

function ask(group: Group, options: ChargeOptions): MaybePromise<readonly Charged[]> {
  const { store, demands, mode, purpose } = group;
  const requests = demands.map(({ request }) => request);
  return attempt<readonly Charged[]>(
    () =>
      chain(allocate(store, requests, purpose, options), (grants) => {
        assertGrants(grants, demands.length);
        options.observer?.answered?.(store.name);
        return demands.map((demand, index) => {
          const outcome = outcomeOf(demand, grants[index] as QuotaGrant);
          return { outcome, mode, request: demand.request, heldBy: store };
        });
      }),
    (error) => {
      options.observer?.failed?.(store.name, error);
      return askWithoutStore(group, options);
    },
  );
}

/** Applies each policy's onStoreFailure to its demand. */
function askWithoutStore(
  { store, demands, mode, purpose }: Group,
  options: ChargeOptions,
): MaybePromise<readonly Charged[]> {
  const { localStore, nodes } = options;
  // Named for the store that it replaces: several stores may be unavailable at once.
  const inPlace: NamedStore = {
    name: `local for ${store.name}`,
    allocate: (requests, allocateOptions) => localStore.allocate(requests, allocateOptions),
  };
  const local = demands
    .filter(({ onStoreFailure, blockedForMs }) => onStoreFailure === "local" && blockedForMs === undefined)
    .map(({ request }) => ({ ...request, limit: localShare(request.limit, nodes) }));
  const counted = attempt<readonly QuotaGrant[]>(
    () => (local.length === 0 ? [] : allocate(inPlace, local, purpose, options)),
    // The local store is full: these demands cannot be counted, so they are refused.
    () => [],
  );
  return chain(counted, (grants) => {
    let next = 0;
    return demands.map((demand) => {
      const applied = demand.onStoreFailure;
      // A block refuses whatever the failure policy says, and the caller must not apply its own.
      if (demand.blockedForMs !== undefined)
        return {
          outcome: blocked(demand, demand.blockedForMs),
          mode,
          request: demand.request,
          heldBy: undefined,
        };
      const failure = { code: "PURSER_STORE_UNAVAILABLE", applied } as const;
      const index = applied === "local" ? next++ : undefined;
      const grant = index === undefined ? undefined : grants[index];
      return {
        outcome: { ...outcomeOf(demand, grant ?? uncounted(demand.request, applied === "allow")), failure },
        mode,
        request: index === undefined ? demand.request : (local[index] as QuotaRequest),
        heldBy: grant === undefined ? undefined : inPlace,
      };
    });
  });
}

/** Gives back every enforced grant. If a store fails now, its grant ends with its window instead. */
function undo(all: readonly Charged[], options: ChargeOptions): MaybePromise<readonly QuotaOutcome[]> {
  const returns = new Map<NamedStore, QuotaRequest[]>();
  for (const { mode, outcome, request, heldBy } of all) {
    if (mode !== "enforce" || outcome.granted <= 0 || heldBy === undefined) continue;
    const requests = returns.get(heldBy) ?? [];
    requests.push({ ...request, amount: -outcome.granted, slot: outcome.slot });
    returns.set(heldBy, requests);
  }
  const undone = reduceInOrder([...returns], undefined as void, (_, [store, requests]) =>
    attempt<void>(
      () => chain(allocate(store, requests, "return", options), () => undefined),
      (error) => options.observer?.notReturned?.(store.name, error),
    ),
  );
  return chain(undone, () =>
    all.map(({ mode, outcome }) =>
      mode === "enforce" && outcome.granted > 0
        ? { ...outcome, granted: 0, remaining: outcome.remaining + outcome.granted, validForMs: 0 }
        : outcome,
    ),
  );
}

function allocate(
  store: NamedStore,
  requests: readonly QuotaRequest[],
  purpose: string,
  { deduplicationId: call }: ChargeOptions,
): MaybePromise<readonly QuotaGrant[]> {
  const deduplicationId = call === "" ? "" : callId({ call, purpose, store: store.name }, requests);
  return store.allocate(requests, { deduplicationId });
}

function groupDemands(demands: readonly Demand[]): readonly Group[] {
  const groups: Group[] = [];
  for (let position = 0; position < demands.length; position++) {
    const demand = demands[position] as Demand;
    const { store, mode, policy } = demand;
    // Each shadow demand is separate: with a shared group one could make the others fail, and their counts
    // would be too low.
    const purpose = mode === "enforce" ? mode : `${mode}/${policy}`;
    const group = findGroup(groups, purpose, store.name);
    if (group === undefined) groups.push({ store, mode, purpose, demands: [demand], positions: [position] });
    else {
      group.demands.push(demand);
      group.positions.push(position);
    }
  }
  return groups;
}

/** A request has few groups: comparing them costs less than a Map and a key made for each demand. */
function findGroup(groups: readonly Group[], purpose: string, store: string): Group | undefined {
  for (const group of groups) if (group.purpose === purpose && group.store.name === store) return group;
  return undefined;
}

/** Stores are foreign code. */
function assertGrants(grants: readonly QuotaGrant[], count: number): void {
  const fits = Array.isArray(grants) && grants.length === count;
  if (fits && grants.every((grant) => Number.isFinite((grant as QuotaGrant | undefined)?.granted))) return;
  throw new PurserError(
    "PURSER_STORE_UNAVAILABLE",
    "the store answered with other grants than it was asked for",
  );
}

function outcomeOf(demand: Demand, grant: QuotaGrant): QuotaOutcome {
  const { policy, request, blockedForMs, retryWithinMs = Number.POSITIVE_INFINITY } = demand;
  if (blockedForMs !== undefined) return blocked(demand, blockedForMs);
  const { granted, remaining, resetMs, validForMs, slot } = grant;
  const retryAfterMs = Math.min(grant.retryAfterMs, retryWithinMs);
  return { policy, cell: request.cell, granted, remaining, resetMs, retryAfterMs, validForMs, slot };
}

/** The outcome of a demand on a count that an operator has blocked. */
function blocked({ policy, request: { cell } }: Demand, leftMs: number): QuotaOutcome {
  return {
    policy,
    cell,
    granted: 0,
    remaining: 0,
    resetMs: leftMs,
    retryAfterMs: leftMs,
    validForMs: 0,
    slot: 0,
    blocked: true,
  };
}

/** The grant of a demand that was not counted. */
function uncounted({ amount, leaseMs }: QuotaRequest, allowed: boolean): QuotaGrant {
  return {
    granted: allowed ? amount : 0,
    remaining: 0,
    resetMs: 0,
    retryAfterMs: allowed ? 0 : STORE_RETRY_AFTER_MS,
    validForMs: allowed ? leaseMs : 0,
    slot: 0,
  };
}
