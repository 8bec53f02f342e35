// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { MAX_SLIDING_LOG_LIMIT } from "../../../core/quota/counting/sliding-log.ts";
import type {
  AuditEntry,
  AuditListing,
  BlockCommand,
  CountCommand,
  KeptIn,
  QuotaAction,
  QuotaListing,
  QuotaListQuery,
  RaiseCommand,
  TopListing,
} from "../../../api/quota-operations.ts";
import { type Adjustments, OWN_ADJUSTMENTS } from "../../../core/quota/adjustments.ts";
import type { NamedStore } from "../../../core/quota/demand.ts";
import type { AdjustmentKind } from "../../../core/quota/quota-view.ts";
import type { TopKeys } from "../../../core/quota/top-keys.ts";
import type { QuotaPolicy } from "../../../core/snapshot/snapshot.ts";
import { PurserError } from "../../../kernel/errors.ts";
import type { MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { Clock, Logger } from "../../../kernel/ports.ts";
import type { ActiveSnapshot } from "../active-snapshot.ts";
import type { AdjustmentRefresh } from "./adjustment-refresh.ts";
import { AuditTrail } from "./audit-trail.ts";
import { cellOfKey, policiesFor, policyOf } from "./count-names.ts";
import { listQuotas, viewUnsupported } from "./quota-counts.ts";

export interface QuotaOperationsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly adjustments: Adjustments;
  readonly refresh: AdjustmentRefresh;
  readonly topKeys: TopKeys;
  /** Runs a call with the active snapshot, and holds its handlers until the call ends. */
  readonly during: <T>(work: (active: ActiveSnapshot) => Promise<T>) => MaybePromise<T>;
}

/** A token bucket computes exactly while three times limit × window is below 2^53; see core/documents/kinds/quota-policy.ts. */
const MAX_TOKEN_MS = Math.floor(Number.MAX_SAFE_INTEGER / 3);

/**
 * Operators' view of quotas, and their changes of single counts. A raise or a block is kept in the policy's store when mixers share it,
 * otherwise in this mixer's memory. Every function throws PURSER_NOT_FOUND for an unknown policy, PURSER_REQUEST_INVALID for a key that the policy
 * cannot have, and PURSER_STORE_UNAVAILABLE.
 */
export class QuotaOperations {
  readonly #options: QuotaOperationsOptions;
  readonly #audit: AuditTrail;

  constructor(options: QuotaOperationsOptions) {
    this.#options = options;
    this.#audit = new AuditTrail(options.logger);
  }

  async list(query: QuotaListQuery): Promise<QuotaListing> {
    const { during, adjustments, clock } = this.#options;
    return await during((active) => listQuotas(active, adjustments, query, clock.nowMs()));
  }

  /** The keys with the largest amounts; with no policy named, of those policies that have any. */
  async top({ policy, limit }: Pick<QuotaListQuery, "policy" | "limit">): Promise<TopListing> {
    const { during, topKeys } = this.#options;
    return await during(async (active) => {
      const policies = policiesFor(active, { policy }).map(({ name }) => ({
        policy: name,
        periods: topKeys.periodsOf(name, limit),
      }));
      return { policies: policies.filter(({ periods }) => policy !== undefined || periods.length > 0) };
    });
  }

  audit(limit: number): AuditListing {
    return this.#audit.list(limit);
  }

  /**
   * Forgets what a count has used.
   *
   * @throws {PurserError} PURSER_QUOTA_VIEW_UNSUPPORTED.
   */
  reset(command: CountCommand, by: string): Promise<AuditEntry> {
    return this.#change("reset", command, by, async ({ policy, store, cell }) => {
      if (store.view === undefined) throw viewUnsupported(store.name);
      const outcome = await store.view.reset({ ...policy.quota, cell });
      if (outcome === "shared")
        throw new PurserError(
          "PURSER_REQUEST_INVALID",
          "the key has no count of its own: its policy has more keys than the store keeps, so that several keys share one",
        );
      return { changed: outcome === "reset", keptIn: store.view.shared === undefined ? "mixer" : "store" };
    });
  }

  /**
   * Gives one key a higher limit for a time.
   *
   * @throws {PurserError} PURSER_QUOTA_ADJUSTMENTS_FULL.
   */
  raise(command: RaiseCommand, by: string): Promise<AuditEntry> {
    const { limit, forMs } = command;
    return this.#change("raise", command, by, async (target) => {
      assertRaises(target.policy, limit);
      return { ...(await this.#adjust("raise", target, command, limit, by)), limit, forMs };
    });
  }

  /**
   * Refuses one key for a time.
   *
   * @throws {PurserError} PURSER_QUOTA_ADJUSTMENTS_FULL.
   */
  block(command: BlockCommand, by: string): Promise<AuditEntry> {
    return this.#change("block", command, by, async (target) => ({
      ...(await this.#adjust("block", target, command, 0, by)),
      forMs: command.forMs,
    }));
  }

  /** Ends a raise or a block early. */
  end(kind: AdjustmentKind, command: CountCommand, by: string): Promise<AuditEntry> {
    const { adjustments, refresh } = this.#options;
    return this.#change(`end-${kind}`, command, by, async ({ store, cell }) => {
      const inMixer = adjustments.remove(OWN_ADJUSTMENTS, kind, cell);
      const shared = store.view?.shared;
      if (shared === undefined) return { changed: inMixer, keptIn: "mixer" };
      const inStore = await shared.remove(kind, cell);
      adjustments.remove(store.name, kind, cell);
      refresh.changed();
      return { changed: inMixer || inStore, keptIn: "store" };
    });
  }

  async #adjust(
    kind: AdjustmentKind,
    { store, cell }: Target,
    { forMs, reason }: BlockCommand,
    limit: number,
    by: string,
  ): Promise<Change> {
    const { adjustments, refresh, clock } = this.#options;
    const adjustment = { kind, cell, limit, leftMs: forMs, by, reason, madeAtMs: clock.nowMs() };
    const shared = store.view?.shared;
    if (shared === undefined) {
      adjustments.put(OWN_ADJUSTMENTS, adjustment);
      return { changed: true, keptIn: "mixer" };
    }
    await shared.put(adjustment);
    // In force here at once; other mixers read it within ADJUSTMENT_REFRESH_MS.
    adjustments.put(store.name, adjustment);
    refresh.changed();
    return { changed: true, keptIn: "store" };
  }

  async #change(
    action: QuotaAction,
    { policy: name, key, reason }: CountCommand,
    by: string,
    work: (target: Target) => Promise<Change>,
  ): Promise<AuditEntry> {
    const { during, clock } = this.#options;
    return await during(async (active) => {
      const policy = policyOf(active, name);
      const target = { policy, store: active.findStore(policy.store), cell: cellOfKey(policy, key) };
      const change = await work(target);
      const entry = {
        time: new Date(clock.nowMs()).toISOString(),
        action,
        policy: name,
        key,
        by,
        reason,
        ...change,
      };
      this.#audit.add(entry);
      return entry;
    });
  }
}

/** The count that a command is about. */
interface Target {
  readonly policy: QuotaPolicy;
  readonly store: NamedStore;
  readonly cell: string;
}

type Change = Pick<AuditEntry, "changed" | "limit" | "forMs"> & { readonly keptIn: KeptIn };

function assertRaises({ name, limit: own, overrides, quota }: QuotaPolicy, limit: number): void {
  const least = Math.min(own, ...overrides.map((override) => override.limit));
  if (limit <= least)
    throw new PurserError(
      "PURSER_REQUEST_INVALID",
      `the limit of QuotaPolicy ${name} is ${least}: a raise must be above it, and is ${limit}`,
    );
  if (quota.algorithm === "sliding-log" && limit > MAX_SLIDING_LOG_LIMIT)
    throw new PurserError(
      "PURSER_REQUEST_INVALID",
      `a raise of a sliding-log must be at most ${MAX_SLIDING_LOG_LIMIT}`,
    );
  const largest = Math.floor(MAX_TOKEN_MS / quota.windowMs);
  if (quota.algorithm === "token-bucket" && limit > largest)
    throw new PurserError(
      "PURSER_REQUEST_INVALID",
      `a raise of a token-bucket with this window must be at most ${largest}`,
    );
}
