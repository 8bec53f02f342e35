// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { attempt, isPromise, type MaybePromise } from "../../../../kernel/maybe-promise.ts";

export type CallOutcome =
  | { readonly kind: "answered"; readonly value: unknown }
  | { readonly kind: "rejected"; readonly error: unknown }
  | { readonly kind: "late" };

/** Outcome of a step within the deadline. A step that throws counts as rejected, as in the host. */
export function outcomeOf(step: () => MaybePromise<unknown>, deadlineMs: number): Promise<CallOutcome> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ kind: "late" }), deadlineMs);
    const finish = (outcome: CallOutcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    void attempt<unknown>(
      () => {
        const value = step();
        return isPromise(value) ? value.then(answered) : answered(value);
      },
      (error) => finish({ kind: "rejected", error }),
    );
    function answered(value: unknown): void {
      finish({ kind: "answered", value });
    }
  });
}

/** A signal that aborts after `delayMs`, and a function that clears its timer. */
export function abortAfter(delayMs: number): { readonly signal: AbortSignal; readonly clear: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("the call's deadline passed")), delayMs);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}
