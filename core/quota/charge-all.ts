// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";
import { attempt, chain, type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import { callId } from "./call-id.ts";
import type { Demand, NamedStore } from "./demand.ts";
import { localShare } from "./local-share.ts";
import type { QuotaOutcome } from "./quota-charge.ts";
import type { QuotaGrant, QuotaRequest, QuotaStore } from "./quota.ts";
import { fallsShort } from "./refusal.ts";

export interface ChargeOptions {
  /** The same id for a call and all its retries; empty for a call that is never repeated. */
  readonly deduplicationId: string;
  /** Counts for `onStoreFailure: local`; of this node alone. */
  readonly localStore: QuotaStore;
  /** How many nodes share a limit while its store is away. */
  readonly nodes: number;
  readonly observer?: StoreObserver;
}

/** Told how each store answers; for logs and statistics. Must not throw. */
export interface StoreObserver {
  readonly answered?: (store: string) => void;
  readonly failed?: (store: string, error: unknown) => void;
  /** A store did not take back what a refused request had been granted: it stays counted until its window ends. */
  readonly notReturned?: (store: string, error: unknown) => void;
}

/** How long a client is told to wait when a store's failure refuses it: about what a restart takes. */
export const STORE_RETRY_AFTER_MS = 1_000;

/** Demands of one store that are granted together or not at all, and where they stand among all demands. */
interface Group {
  readonly store: NamedStore;
  readonly mode: Demand["mode"];
  /** Names the group among those of its store; see CallPart. */
  readonly purpose: string;
  readonly demands: Demand[];
  readonly positions: number[];
}

/** A demand's outcome, and how to undo it. */
interface Charged {
  readonly outcome: QuotaOutcome;
  readonly mode: Demand["mode"];
  /** As it was asked of `heldBy`, the store that counted it; undefined when none did. */
  readonly request: QuotaRequest;
  readonly heldBy: NamedStore | undefined;
}

/**
 * Charges all the quotas of one request, or none. Each store is asked once, all of them at the same time. Enforced demands
 * are all or none over all stores: when one is refused, what the others granted is given back before the answer. Shadow
 * demands are counted each by itself. Where a store cannot be asked, each demand's `onStoreFailure` decides.
 *
 * @returns one outcome for each demand, in order. Answers at once when every store does. Never rejects.
 */
export function chargeAll(
  demands: readonly Demand[],
  options: ChargeOptions,
): MaybePromise<readonly QuotaOutcome[]> {
  if (demands.length === 0) return [];
  // All are asked before any answer is awaited.
  const asked = groupDemands(demands).map((group) => ({ group, answer: ask(group, options) }));
  const all: Charged[] = [];
  const answered = reduceInOrder(asked, all, (_, { group, answer }) =>
    chain(answer, (charged) => {
      for (const [index, position] of group.positions.entries()) all[position] = charged[index] as Charged;
      return all;
    }),
  );
  return chain(answered, () =>
    all.some(isRefused) ? undo(all, options) : all.map(({ outcome }) => outcome),
  );
}

/** Whether an enforced demand that was not best effort got less than it asked for. */
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

/** What each policy's onStoreFailure makes of its demand. */
function askWithoutStore(
  { store, demands, mode, purpose }: Group,
  options: ChargeOptions,
): MaybePromise<readonly Charged[]> {
  const { localStore, nodes } = options;
  // Named for the store in whose place it counts: several may be away at once.
  const inPlace: NamedStore = {
    name: `local for ${store.name}`,
    allocate: (requests, allocateOptions) => localStore.allocate(requests, allocateOptions),
  };
  const local = demands
    .filter(({ onStoreFailure }) => onStoreFailure === "local")
    .map(({ request }) => ({ ...request, limit: localShare(request.limit, nodes) }));
  const counted = attempt<readonly QuotaGrant[]>(
    () => (local.length === 0 ? [] : allocate(inPlace, local, purpose, options)),
    // The local store has no room: nobody counts these demands, so they are refused.
    () => [],
  );
  return chain(counted, (grants) => {
    let next = 0;
    return demands.map((demand) => {
      const applied = demand.onStoreFailure;
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

/** Gives back every enforced grant. One whose store fails just now ends with its window instead. */
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
  const groups = new Map<string, Group>();
  for (const [position, demand] of demands.entries()) {
    const { store, mode, policy } = demand;
    // Each shadow demand by itself: they must not make each other fail either, or their counts would say too little.
    const purpose = mode === "enforce" ? mode : `${mode}/${policy}`;
    const key = `${purpose} ${store.name}`;
    const group = groups.get(key) ?? { store, mode, purpose, demands: [], positions: [] };
    group.demands.push(demand);
    group.positions.push(position);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Stores are other people's code. */
function assertGrants(grants: readonly QuotaGrant[], count: number): void {
  const fits = Array.isArray(grants) && grants.length === count;
  if (fits && grants.every((grant) => Number.isFinite((grant as QuotaGrant | undefined)?.granted))) return;
  throw new PurserError(
    "PURSER_STORE_UNAVAILABLE",
    "the store answered with other grants than it was asked for",
  );
}

function outcomeOf({ policy, request }: Demand, grant: QuotaGrant): QuotaOutcome {
  const { granted, remaining, resetMs, retryAfterMs, validForMs, slot } = grant;
  return { policy, cell: request.cell, granted, remaining, resetMs, retryAfterMs, validForMs, slot };
}

/** What is said of a demand that nobody counted. */
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
