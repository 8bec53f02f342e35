// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { valueAt } from "../attributes/bag.ts";
import { type Count, Counter } from "./count.ts";
import type { LogRecord } from "./record.ts";
import type { UnreliableRead } from "./reliability.ts";
import { type Change, CHANGES } from "./change-names.ts";
import type { RequestOutcome } from "./request-outcome.ts";

export interface ChangeFinding extends Count {
  readonly change: Change;
  /** By deciding document: of the new decision or, if none decides, of the old one; largest counts first. */
  readonly policies: readonly PolicyFinding[];
}

interface PolicyFinding extends Count {
  readonly policy: string;
  readonly examples: readonly Example[];
}

export interface Example {
  /** `file:line` of the log. */
  readonly where: string;
  readonly id?: string;
  readonly time: string;
  /** Method, host and path, such as `GET shop/reviews/0`. */
  readonly request: string;
  readonly before: RequestOutcome;
  readonly after: RequestOutcome;
  /** Attributes read that the log has redacted, hashed or cut. */
  readonly unreliable: readonly UnreliableRead[];
}

/** Names come from the log: names beyond this number are counted together. */
const MAX_POLICIES = 1_000;

interface Group {
  readonly counter: Counter;
  readonly examples: Example[];
}

/** Counts of changes, with the first few examples for each document. */
export class ChangeTable {
  readonly #maxExamples: number;
  readonly #changes = new Map(CHANGES.map((change) => [change, new Map<string, Group>()]));
  readonly #totals = new Map(CHANGES.map((change) => [change, new Counter()]));

  constructor(maxExamples: number) {
    this.#maxExamples = maxExamples;
  }

  add(
    change: Change,
    record: LogRecord,
    [before, after]: readonly [RequestOutcome, RequestOutcome],
    unreliable: readonly UnreliableRead[],
  ): void {
    this.#totals.get(change)?.add(record.weight);
    const { counter, examples } = this.#groupOf(change, after.policy ?? before.policy ?? "(none)");
    counter.add(record.weight);
    if (examples.length < this.#maxExamples) examples.push(exampleOf(record, before, after, unreliable));
  }

  findings(): readonly ChangeFinding[] {
    return CHANGES.map((change) => ({
      change,
      ...(this.#totals.get(change) as Counter).count,
      policies: [...(this.#changes.get(change) ?? [])]
        .map(([policy, { counter, examples }]) => ({ policy, ...counter.count, examples }))
        .toSorted((a, b) => b.estimated - a.estimated),
    }));
  }

  #groupOf(change: Change, policy: string): Group {
    const groups = this.#changes.get(change) as Map<string, Group>;
    const name = groups.has(policy) || groups.size < MAX_POLICIES ? policy : "(others)";
    const group = groups.get(name) ?? { counter: new Counter(), examples: [] };
    groups.set(name, group);
    return group;
  }
}

function exampleOf(
  { line, requestBag, where }: LogRecord,
  before: RequestOutcome,
  after: RequestOutcome,
  unreliable: readonly UnreliableRead[],
): Example {
  const text = (...path: string[]): string => {
    const value = valueAt(requestBag, path);
    return typeof value === "string" ? value : "";
  };
  return {
    where,
    ...(line.id === undefined ? {} : { id: line.id }),
    time: line.time,
    request: `${text("request", "method")} ${text("request", "host")}${text("request", "url_path")}`.trim(),
    before,
    after,
    unreliable,
  };
}
