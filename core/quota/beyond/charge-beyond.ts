// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { chain, type MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { QuotaCharge, QuotaOutcome, SetHeader, SingleCharge } from "../quota-charge.ts";
import { refusalOf } from "../refusal.ts";
import type { BeyondEvent } from "./beyond-event.ts";
import { BeyondRun, goesBeyond } from "./beyond-run.ts";

/** The charges of one request that were made in the end, with what `beyond` did. */
export interface ChargedBeyond {
  /** A charge that a step replaced has an amount of 0; the charge that replaced it follows. */
  readonly charges: readonly SingleCharge[];
  /** One for each of `charges`. */
  readonly outcomes: readonly QuotaOutcome[];
  readonly events: readonly BeyondEvent[];
  /** Request headers that a degraded request passes with. */
  readonly headers: readonly SetHeader[];
}

/**
 * Makes charges, all or none; `again` is 0 for the first call, and counts the calls after a refusal, each of
 * which needs a deduplication id of its own.
 */
export type MakeCharges = (
  charges: readonly SingleCharge[],
  again: number,
) => MaybePromise<readonly QuotaOutcome[]>;

/**
 * Charges one request that cannot wait, with `draw` and `degrade` of its policies; `queue` is skipped. When no
 * step helps, the result has the first charges and outcomes, which refuse the request.
 */
export function chargeBeyond(
  charges: readonly QuotaCharge[],
  make: MakeCharges,
): MaybePromise<ChargedBeyond> {
  return chain(make(charges, 0), (outcomes) => {
    const refused: ChargedBeyond = { charges, outcomes, events: [], headers: [] };
    const refusal = refusalOf(charges, outcomes);
    if (refusal === undefined || !charges.some(goesBeyond)) return refused;
    const run = new BeyondRun(charges.filter(({ mode }) => mode === "enforce"));
    const known = new Map<SingleCharge, QuotaOutcome>(
      charges.map((charge, index) => [charge, outcomes[index] as QuotaOutcome]),
    );
    return chain(takeSteps(run, refusal, make, known), (admitted) =>
      admitted ? admittedBy(run, charges, known) : refused,
    );
  });
}

/** Takes steps until the charges are made; false when no step helps. Every call takes at least one. */
function takeSteps(
  run: BeyondRun,
  refusal: Parameters<BeyondRun["next"]>[0],
  make: MakeCharges,
  known: Map<SingleCharge, QuotaOutcome>,
  again = 1,
): MaybePromise<boolean> {
  if (run.next(refusal, undefined).kind !== "charge") return false;
  const { charges } = run;
  return chain(make(charges, again), (outcomes) => {
    for (const [index, charge] of charges.entries()) known.set(charge, outcomes[index] as QuotaOutcome);
    const next = refusalOf(charges, outcomes);
    return next === undefined || takeSteps(run, next, make, known, again + 1);
  });
}

function admittedBy(
  run: BeyondRun,
  written: readonly QuotaCharge[],
  known: ReadonlyMap<SingleCharge, QuotaOutcome>,
): ChargedBeyond {
  const become = [...run.become];
  const charges: SingleCharge[] = [];
  const outcomes: QuotaOutcome[] = [];
  for (const charge of written) {
    // Shadow charges were made with the first call.
    const now = charge.mode === "enforce" ? (become.shift() ?? []) : [charge];
    for (const one of now) {
      charges.push(one);
      const outcome = known.get(one) ?? (known.get(charge) as QuotaOutcome);
      outcomes.push(one.amount === 0 ? { ...outcome, granted: 0 } : outcome);
    }
  }
  return { charges, outcomes, events: run.events(true), headers: run.headers };
}
