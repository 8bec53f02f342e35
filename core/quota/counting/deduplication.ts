// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaGrant } from "../quota.ts";

/** How long a repeat must find its first answer: longer than any retry goes on. */
export const DEDUPLICATION_MS = 60_000;

interface Answer {
  readonly grants: readonly QuotaGrant[];
  readonly decidedAtMs: number;
}

/**
 * The answers of the last minute, by id. Two maps change places each minute, as in Mixer, so that an id lives for one
 * minute to two and nothing has to be swept. When one fills up they change places early.
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

  /** Ids that had to go before their minute was over. */
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

/** The first answer as it stands now: whoever asks again may not hold an amount longer than the first asker. */
function agedGrants(grants: readonly QuotaGrant[], ageMs: number): readonly QuotaGrant[] {
  if (ageMs <= 0 || grants.every((grant) => grant.validForMs === 0)) return grants;
  return grants.map((grant) => ({ ...grant, validForMs: Math.max(0, grant.validForMs - ageMs) }));
}
