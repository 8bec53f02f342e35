// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Malformed } from "../replay/read-logs.ts";
import type { ShareOf } from "./limit-search.ts";
import type { RefusedShares } from "./limit-trial.ts";
import type { ProposedPolicy } from "./policy-text.ts";

/** A limit that refuses at most a share of the first part of a log. */
export interface Proposal {
  /** Target, from 0 to 1. */
  readonly share: number;
  readonly of: ShareOf;
  readonly limit: number;
  /** Shares that the limit refuses of the part that it was searched in. */
  readonly searched: RefusedShares;
  /** Shares that it refuses of the held-out part; undefined when that part has no charge. */
  readonly heldOut?: RefusedShares;
}

/** One part of the log. */
export interface PartFacts {
  /** Charges of records. */
  readonly charges: number;
  readonly keys: number;
  /** The part's length in windows. */
  readonly windows: number;
}

export interface Suggestion {
  readonly policy: Pick<ProposedPolicy, "window" | "algorithm">;
  readonly requests: number;
  /** Requests without a check where they were recorded, which are charged elsewhere. */
  readonly unchecked: number;
  /** Times of the first and the last request, and the time that parts the log; ISO 8601. */
  readonly first: string;
  readonly last: string;
  readonly split: string;
  readonly searched: PartFacts;
  readonly heldOut: PartFacts;
  readonly proposals: readonly Proposal[];
  readonly malformed: { readonly count: number; readonly first: readonly Malformed[] };
  /** Reasons to doubt the proposals, as sentences. */
  readonly warnings: readonly string[];
}

/** Fewer windows show no more than one hour of one day. */
const MIN_WINDOWS = 30;

/** Fewer keys say little about the next one. */
const MIN_KEYS = 20;

/** Below this number of refusals, a share is a matter of chance. */
const MIN_REFUSALS = 10;

/** A proposal whose held-out share is as many times its target gets a warning. */
const MAX_EXCESS = 2;

/** Reasons to doubt the proposals that follow from the log's size and from the held-out part. */
export function warningsOf(
  { searched, heldOut, proposals }: Pick<Suggestion, "searched" | "heldOut" | "proposals">,
  hasKey: boolean,
): readonly string[] {
  const warnings: string[] = [];
  if (searched.windows < MIN_WINDOWS)
    warnings.push(
      `the log is short: limits are searched in ${searched.windows.toFixed(1)} windows, and at least ${MIN_WINDOWS} are needed to see its peaks`,
    );
  if (hasKey && searched.keys < MIN_KEYS)
    warnings.push(`the log has few keys: ${searched.keys}, and at least ${MIN_KEYS} are needed`);
  if (heldOut.charges === 0) warnings.push("the held-out part has no charge: no proposal is checked");
  for (const { share, of, limit, heldOut: checked } of proposals) {
    const total = of === "requests" ? searched.charges : searched.keys;
    if (share * total < MIN_REFUSALS)
      warnings.push(
        `${percent(share)} of ${total} ${of} is fewer than ${MIN_REFUSALS}: the limit ${limit} depends on few of them`,
      );
    if (checked !== undefined && checked[of] > share * MAX_EXCESS)
      warnings.push(
        `the limit ${limit} refuses ${percent(checked[of])} of ${of} of the held-out part, where ${percent(share)} is the target: the demand has changed`,
      );
  }
  return warnings;
}

/** A number with its noun, in the singular or the plural. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

/** A share as a percentage with three significant digits. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))}%`;
}
