// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaOutcome } from "../../../core/check/decision.ts";
import { messageOf, PurserError } from "../../../kernel/errors.ts";
import { attempt, chain, type MaybePromise, reduceInOrder } from "../../../kernel/maybe-promise.ts";
import type { Logger } from "../../../kernel/ports.ts";
import { callId } from "../../../core/quota/call-id.ts";
import { localShare } from "../../../core/quota/local-share.ts";
import type { QuotaGrant, QuotaRequest, QuotaStore } from "../../../core/quota/quota.ts";

/** One demand, the store that counts it, and what it means that the store cannot be asked. */
export interface Demand {
  readonly policy: string;
  readonly store: NamedStore;
  readonly request: QuotaRequest;
  readonly onStoreFailure: "allow" | "deny" | "local";
  /** Shadow demands are counted apart, so that they never make an enforced one fail. */
  readonly mode: "enforce" | "shadow";
}

/** A store as quotas reach it: within a deadline, rejecting when it cannot answer. */
export interface NamedStore extends QuotaStore {
  readonly name: string;
}

export interface QuotaChargerOptions {
  /** Counts for `onStoreFailure: local`; of this node alone. */
  readonly localStore: QuotaStore;
  /** How many nodes share a limit while its store is away. */
  readonly nodes: number;
  readonly logger: Logger;
}

/** How long a client is told to wait when a store's failure refuses it: about what a restart takes. */
const STORE_RETRY_AFTER_MS = 1_000;

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
 * Asks the stores for what one call demands. Each store is asked once, all at the same time. Enforced demands are all or
 * none over all stores: when one is refused, what the others granted is given back before the answer goes out.
 */
export class QuotaCharger {
  readonly #options: QuotaChargerOptions;
  /** Stores whose last answer was a failure: each is logged when it begins to fail and when it is back, not per call. */
  readonly #failing = new Set<string>();

  constructor(options: QuotaChargerOptions) {
    this.#options = options;
  }

  /** One outcome for each demand, in order. Never rejects. */
  charge(demands: readonly Demand[], deduplicationId: string): MaybePromise<readonly QuotaOutcome[]> {
    if (demands.length === 0) return [];
    // All are asked before any answer is awaited.
    const asked = groupDemands(demands).map((group) => ({
      group,
      answer: this.#ask(group, deduplicationId),
    }));
    const all: Charged[] = [];
    const answered = reduceInOrder(asked, all, (_, { group, answer }) =>
      chain(answer, (charged) => {
        for (const [index, position] of group.positions.entries()) all[position] = charged[index] as Charged;
        return all;
      }),
    );
    return chain(answered, () => {
      const refused = all.some(
        ({ mode, request, outcome }) => mode === "enforce" && isRefused(request, outcome),
      );
      return refused ? this.#undo(all, deduplicationId) : all.map(({ outcome }) => outcome);
    });
  }

  #ask(group: Group, deduplicationId: string): MaybePromise<readonly Charged[]> {
    const { store, demands, mode } = group;
    const requests = demands.map(({ request }) => request);
    const part = { call: deduplicationId, purpose: group.purpose, store: store.name };
    return attempt<readonly Charged[]>(
      () =>
        chain(store.allocate(requests, { deduplicationId: callId(part, requests) }), (grants) => {
          assertGrants(grants, demands.length);
          this.#recovered(store);
          return demands.map((demand, index) => {
            const outcome = outcomeOf(demand, grants[index] as QuotaGrant);
            return { outcome, mode, request: demand.request, heldBy: store };
          });
        }),
      (error) => {
        this.#failed(store, error);
        return this.#askWithoutStore(group, deduplicationId);
      },
    );
  }

  /** What each policy's onStoreFailure makes of its demand. */
  #askWithoutStore(
    { store, demands, mode, purpose }: Group,
    deduplicationId: string,
  ): MaybePromise<readonly Charged[]> {
    const { localStore, nodes } = this.#options;
    // Named for the store in whose place it counts: several may be away at once.
    const inPlace: NamedStore = {
      name: `local for ${store.name}`,
      allocate: (requests, options) => localStore.allocate(requests, options),
    };
    const part = { call: deduplicationId, purpose, store: inPlace.name };
    const local = demands
      .filter(({ onStoreFailure }) => onStoreFailure === "local")
      .map(({ request }) => ({ ...request, limit: localShare(request.limit, nodes) }));
    const counted = attempt<readonly QuotaGrant[]>(
      () => (local.length === 0 ? [] : inPlace.allocate(local, { deduplicationId: callId(part, local) })),
      // It has no room: nobody counts these, so they are refused.
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
  #undo(all: readonly Charged[], deduplicationId: string): MaybePromise<readonly QuotaOutcome[]> {
    const returns = new Map<NamedStore, QuotaRequest[]>();
    for (const { mode, outcome, request, heldBy } of all) {
      if (mode !== "enforce" || outcome.granted <= 0 || heldBy === undefined) continue;
      const requests = returns.get(heldBy) ?? [];
      requests.push({ ...request, amount: -outcome.granted, slot: outcome.slot });
      returns.set(heldBy, requests);
    }
    const undone = reduceInOrder([...returns], undefined as void, (_, [store, requests]) =>
      attempt<void>(
        () =>
          chain(
            store.allocate(requests, {
              deduplicationId: callId(
                { call: deduplicationId, purpose: "return", store: store.name },
                requests,
              ),
            }),
            () => undefined,
          ),
        (error) =>
          this.#options.logger.debug(
            "a quota store did not take back what a refused request had been granted",
            {
              error: messageOf(error),
            },
          ),
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

  #failed(store: NamedStore, error: unknown): void {
    if (this.#failing.has(store.name)) return;
    this.#failing.add(store.name);
    this.#options.logger.warn("a quota store does not answer; onStoreFailure decides until it does", {
      store: store.name,
      error: messageOf(error),
    });
  }

  #recovered(store: NamedStore): void {
    if (!this.#failing.delete(store.name)) return;
    this.#options.logger.info("a quota store answers again", { store: store.name });
  }
}

/** Whether a demand that was not best effort got less than it asked for. */
function isRefused({ amount, bestEffort }: QuotaRequest, { granted }: QuotaOutcome): boolean {
  return !bestEffort && amount > 0 && granted < amount;
}

/** One demand's part in what became of its call. */
export interface Asked {
  readonly mode: Demand["mode"];
  readonly amount: number;
  readonly outcome: QuotaOutcome;
}

/**
 * The enforced demand on whose account a call was refused. All have a grant of 0 then; it is the first that has
 * something to wait for, the others were given back for its sake. A store that never says how long must refuse all the same.
 */
export function refuserOf<T extends Asked>(asked: readonly T[]): T | undefined {
  const short = asked.filter(({ mode, amount, outcome }) => mode === "enforce" && outcome.granted < amount);
  return short.find(({ outcome }) => outcome.retryAfterMs > 0) ?? short[0];
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
