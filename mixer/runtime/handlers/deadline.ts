// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AbortSignalLike, CallContext } from "../../../core/hooks/extension.ts";
import type { PurserError } from "../../../kernel/errors.ts";
import { isPromise, type MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { Scheduler } from "../../../kernel/ports.ts";

/**
 * Runs `work` and rejects with what `onTimeout` makes when it has not settled after `timeoutMs`; its signal aborts then.
 * An answer at hand is returned as it is, with no timer and no signal made. Throws what `work` throws.
 */
export function withDeadline<T>(
  scheduler: Scheduler,
  timeoutMs: number,
  work: (call: CallContext) => MaybePromise<T>,
  onTimeout: () => PurserError,
): MaybePromise<T> {
  const call = new Call();
  const answer = work(call);
  if (!isPromise(answer)) return answer;
  return new Promise((resolve, reject) => {
    const cancel = scheduler.after(timeoutMs, () => {
      const error = onTimeout();
      reject(error);
      call.abort(error);
    });
    answer.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error as Error);
      },
    );
  });
}

/** Makes its signal only when it is looked at: most handlers answer at once and never do. */
class Call implements CallContext {
  #controller: AbortController | undefined;

  get signal(): AbortSignalLike {
    return (this.#controller ??= new AbortController()).signal;
  }

  abort(reason: Error): void {
    (this.#controller ??= new AbortController()).abort(reason);
  }
}
