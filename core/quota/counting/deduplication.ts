// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaGrant } from "../quota.ts";

/** Time in which a repeat finds its first answer; longer than any sequence of retries. */
export const DEDUPLICATION_MS = 60_000;

interface Answer {
  readonly grants: readonly QuotaGrant[];
  readonly decidedAtMs: number;
}

/**
 * The answers of the last minute, by id. Two maps are swapped each minute, as in Mixer, so that an id lives
 * for one to two minutes and no sweep is needed. They are swapped early when one is full.
 */
export class DeduplicationMemory {
  readonly #maxPerMap: number;
  #recent = new Map<string, Answer>();
  #older = new Map<string, Answer>();
  #turnsAtMs = Number.NEGATIVE_INFINITY;
  #forgotten = 0;

  constructor(maxIds: number) {
    this.#maxPerMap = Math.max(1, Math.floor(maxIds / 2));
  }

  /** Number of ids dropped before their minute was over. */
  get forgotten(): number {
    return this.#forgotten;
  }

  find(id: string, nowMs: number): readonly QuotaGrant[] | undefined {
    if (id === "") return undefined;
    if (nowMs >= this.#turnsAtMs) this.#turn(nowMs, nowMs - this.#turnsAtMs >= DEDUPLICATION_MS);
    const answer = this.#recent.get(id) ?? this.#older.get(id);
    return answer === undefined ? undefined : agedGrants(answer.grants, nowMs - answer.decidedAtMs);
  }

  remember(id: string, grants: readonly QuotaGrant[], nowMs: number): void {
    if (id === "") return;
    if (this.#recent.size >= this.#maxPerMap) {
      this.#forgotten += this.#older.size;
      this.#turn(nowMs, false);
    }
    this.#recent.set(id, { grants, decidedAtMs: nowMs });
  }

  #turn(nowMs: number, both: boolean): void {
    this.#older = both ? new Map() : this.#recent;
    this.#recent = new Map();
    this.#turnsAtMs = nowMs + DEDUPLICATION_MS;
  }
}

/** The first answer, aged: a repeat may not hold an amount longer than the first caller. */
function agedGrants(grants: readonly QuotaGrant[], ageMs: number): readonly QuotaGrant[] {
  if (ageMs <= 0 || grants.every((grant) => grant.validForMs === 0)) return grants;
  return grants.map((grant) => ({ ...grant, validForMs: Math.max(0, grant.validForMs - ageMs) }));
}
