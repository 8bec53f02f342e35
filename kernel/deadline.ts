// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPromise, type MaybePromise } from "./maybe-promise.ts";
import type { Scheduler } from "./ports.ts";

/** The platform's AbortSignal, as far as rooms without the platform's types may know it; adapters may cast it to AbortSignal. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** A call that has a deadline, as its work sees it. */
export interface CallContext {
  /** Aborts when the call's deadline passes. */
  readonly signal: AbortSignalLike;
}

/** Every runtime has AbortController, and it does no I/O; the kernel is compiled without the platform's types. */
declare const AbortController: new () => { readonly signal: AbortSignalLike; abort(reason: Error): void };

/**
 * Runs `work` and rejects with the error of `onTimeout` when it has not settled after `timeoutMs`; its signal aborts then.
 * An answer at hand is returned as it is, with no timer and no signal made. Throws what `work` throws.
 *
 * @param outer Ends the call as its deadline does, when it aborts first.
 */
export function withDeadline<T>(
  scheduler: Scheduler,
  timeoutMs: number,
  work: (call: CallContext) => MaybePromise<T>,
  onTimeout: () => Error,
  outer?: AbortSignalLike,
): MaybePromise<T> {
  const call = new Call();
  const answer = work(call);
  if (!isPromise(answer)) return answer;
  return new Promise((resolve, reject) => {
    const end = (): void => {
      cancel();
      outer?.removeEventListener("abort", cut);
    };
    const cut = (): void => {
      end();
      const error = onTimeout();
      reject(error);
      call.abort(error);
    };
    const cancel = scheduler.after(timeoutMs, cut);
    outer?.addEventListener("abort", cut);
    if (outer?.aborted === true) cut();
    answer.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error as Error);
      },
    );
  });
}

/** Makes its signal only when it is looked at: most calls are answered at once and never do. */
class Call implements CallContext {
  #controller: InstanceType<typeof AbortController> | undefined;

  get signal(): AbortSignalLike {
    return (this.#controller ??= new AbortController()).signal;
  }

  abort(reason: Error): void {
    (this.#controller ??= new AbortController()).abort(reason);
  }
}
