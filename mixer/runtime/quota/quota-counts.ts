// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  AdjustmentState,
  CountState,
  KeptIn,
  QuotaKey,
  QuotaListing,
  QuotaListQuery,
  QuotaPolicyState,
} from "../../../api/quota-operations.ts";
import { type Adjustments, OWN_ADJUSTMENTS } from "../../../core/quota/adjustments.ts";
import { cellName } from "../../../core/quota/cell-name.ts";
import { demandOf, type NamedStore } from "../../../core/quota/demand.ts";
import type { QuotaGrant } from "../../../core/quota/quota.ts";
import type { CountPage, ListedCount, QuotaAdjustment } from "../../../core/quota/quota-view.ts";
import type { QuotaPolicy } from "../../../core/snapshot/snapshot.ts";
import { isPurserError, messageOf, PurserError } from "../../../kernel/errors.ts";
import type { ActiveSnapshot } from "../active-snapshot.ts";
import { keyOfCell, policiesFor } from "./count-names.ts";

/** Most policies in one page: each asks its store. */
const MAX_POLICIES = 50;

/** Most limits with which one count is read: the last one, the policy's, a raise's, and the first overrides. */
const MAX_LIMITS = 8;

/** The place where a listing goes on: a policy, and the cursor of its store. */
interface Place {
  readonly policy: string;
  readonly cursor: string | undefined;
}

/** Lists the quotas of a snapshot with their counts. */
export async function listQuotas(
  active: ActiveSnapshot,
  adjustments: Adjustments,
  query: QuotaListQuery,
  nowMs: number,
): Promise<QuotaListing> {
  const policies = policiesFor(active, query);
  const place = query.cursor === undefined ? undefined : decodePlace(query.cursor);
  const start = place === undefined ? 0 : policies.findIndex(({ name }) => name === place.policy);
  if (start === -1)
    throw new PurserError(
      "PURSER_REQUEST_INVALID",
      "the cursor names a QuotaPolicy that is not listed: list from the beginning",
    );
  const states: QuotaPolicyState[] = [];
  let room = query.limit;
  let cursor = place?.cursor;
  for (const policy of policies.slice(start)) {
    if (room <= 0 || states.length >= MAX_POLICIES)
      return { policies: states, cursor: encodePlace({ policy: policy.name, cursor: undefined }) };
    const page = await pageOf(policy, active, adjustments, {
      key: query.key,
      limit: room,
      cursor,
      nowMs,
    });
    states.push(page.state);
    room -= page.state.counts.length;
    cursor = page.cursor;
    if (cursor !== undefined)
      return { policies: states, cursor: encodePlace({ policy: policy.name, cursor }) };
  }
  return { policies: states };
}

interface PageQuery {
  readonly key: QuotaKey | undefined;
  readonly limit: number;
  readonly cursor: string | undefined;
  readonly nowMs: number;
}

async function pageOf(
  policy: QuotaPolicy,
  active: ActiveSnapshot,
  adjustments: Adjustments,
  { key, limit, cursor, nowMs }: PageQuery,
): Promise<{ readonly state: QuotaPolicyState; readonly cursor: string | undefined }> {
  const store = active.findStore(policy.store);
  const state = stateOf(policy, store, adjustments);
  try {
    const cell = key === undefined ? undefined : cellName(policy, key);
    const page: CountPage =
      cell === undefined ? await namesOf(policy, store, limit, cursor) : { counts: [{ cell }] };
    const counts = await Promise.all(
      page.counts.map((listed) => readCount(policy, store, adjustments, listed, nowMs)),
    );
    counts.sort((a, b) => b.used - a.used);
    const shown =
      cell === undefined ? state.adjustments : state.adjustments.filter((one) => one.cell === cell);
    return { state: { ...state, counts, adjustments: shown }, cursor: page.cursor };
  } catch (error) {
    // A cursor that is not valid concerns the whole call; a store that fails, this policy alone.
    if (!isPurserError(error) || error.code === "PURSER_REQUEST_INVALID") throw error;
    return { state: { ...state, error: { code: error.code, message: messageOf(error) } }, cursor: undefined };
  }
}

async function namesOf(
  policy: QuotaPolicy,
  { view, name }: NamedStore,
  limit: number,
  cursor: string | undefined,
): Promise<CountPage> {
  if (view === undefined) throw viewUnsupported(name);
  return await view.list({
    ...policy.quota,
    policy: policy.name,
    limit,
    ...(cursor === undefined ? {} : { cursor }),
  });
}

export function viewUnsupported(store: string): PurserError {
  return new PurserError(
    "PURSER_QUOTA_VIEW_UNSUPPORTED",
    `the store ${store} cannot list or reset counts: its adapter has no quotaView, or runs in a thread of its own`,
  );
}

/** Reads a count, without changing it, with each limit that its requests may have. */
async function readCount(
  policy: QuotaPolicy,
  store: NamedStore,
  adjustments: Adjustments,
  { cell, lastLimit }: ListedCount,
  nowMs: number,
): Promise<CountState> {
  const effect = adjustments.effectOn(cell, store.name);
  const shown = lastLimit ?? Math.max(policy.limit, effect?.raisedTo ?? 0);
  const others = [
    policy.limit,
    effect?.raisedTo ?? policy.limit,
    ...policy.overrides.map(({ limit }) => limit),
  ];
  const limits = [...new Set([shown, ...others])].slice(0, MAX_LIMITS);
  const requests = limits.map(
    (limit) =>
      demandOf({ ...policy.quota, mode: policy.mode, cell, limit, amount: 0 }, store, { nowMs }).request,
  );
  const grants = await store.allocate(requests, { deduplicationId: "" });
  const used = limits.map((limit, index) => limit - (grants[index] as QuotaGrant).remaining);
  const { remaining, resetMs } = grants[0] as QuotaGrant;
  const key = keyOfCell(policy, cell);
  return {
    cell,
    ...(key === undefined ? {} : { key }),
    limit: shown,
    used: Math.max(...used),
    remaining: effect?.blockedForMs === undefined ? remaining : 0,
    resetMs,
  };
}

function stateOf(policy: QuotaPolicy, store: NamedStore, adjustments: Adjustments): QuotaPolicyState {
  const { name, limit, overrides, mode, quota } = policy;
  const kept = (source: string, keptIn: KeptIn): readonly AdjustmentState[] =>
    adjustments.list(source, name).map((adjustment) => adjustmentState(policy, adjustment, keptIn));
  return {
    policy: name,
    algorithm: quota.algorithm,
    windowMs: quota.windowMs,
    limit,
    overrides: overrides.map((override) => override.limit),
    leaseMs: quota.leaseMs,
    mode,
    store: store.name,
    shared: store.view?.shared !== undefined,
    counts: [],
    adjustments: [...kept(store.name, "store"), ...kept(OWN_ADJUSTMENTS, "mixer")],
  };
}

function adjustmentState(policy: QuotaPolicy, adjustment: QuotaAdjustment, keptIn: KeptIn): AdjustmentState {
  const { madeAtMs, ...fields } = adjustment;
  const key = keyOfCell(policy, adjustment.cell);
  return { ...fields, ...(key === undefined ? {} : { key }), keptIn, time: new Date(madeAtMs).toISOString() };
}

function encodePlace({ policy, cursor }: Place): string {
  return Buffer.from(JSON.stringify([policy, cursor ?? null])).toString("base64url");
}

function decodePlace(text: string): Place {
  let place: unknown;
  try {
    place = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    place = undefined;
  }
  const [policy, cursor] = Array.isArray(place) ? (place as readonly unknown[]) : [];
  if (typeof policy !== "string" || (cursor !== null && typeof cursor !== "string"))
    throw new PurserError("PURSER_REQUEST_INVALID", "the cursor is not one that a list has returned");
  return { policy, cursor: cursor ?? undefined };
}
