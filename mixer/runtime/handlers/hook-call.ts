// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MaybePromise } from "../../../kernel/maybe-promise.ts";

type Done<R> = (error?: Error | null, result?: R) => void;

/**
 * Calls a tapable hook; synchronous when every tap is. tapable's own `promise()` would make every check wait
 * for a turn of the event loop.
 */
export function callHook<R>(start: (done: Done<R>) => void): MaybePromise<R | undefined> {
  let settled: { readonly error: Error | null; readonly result: R | undefined } | undefined;
  let settle: Done<R> = (error, result) => {
    settled = { error: error ?? null, result };
  };
  start((error, result) => settle(error, result));
  if (settled !== undefined) {
    if (settled.error !== null) throw settled.error;
    return settled.result;
  }
  return new Promise((resolve, reject) => {
    settle = (error, result) => (error ? reject(error) : resolve(result));
  });
}
