// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AbortSignalLike } from "../../plugins/sdk/index.ts";
import { closedError, timedOut } from "./failure.ts";

/** Calls under way, each of which ends when its work does, when its signal aborts, or when all are ended. */
export class Calls {
  readonly #reject = new Set<(error: Error) => void>();

  /**
   * Settles as `work` does, but rejects with PURSER_HANDLER_TIMEOUT when the signal aborts first. The work itself goes on then.
   *
   * @param onAbort Called when the signal aborts first.
   */
  run<T>(work: Promise<T>, signal: AbortSignalLike, onAbort: () => void = () => {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end = (): void => {
        signal.removeEventListener("abort", abort);
        this.#reject.delete(fail);
      };
      const fail = (error: Error): void => {
        end();
        reject(error);
      };
      const abort = (): void => {
        fail(timedOut());
        onAbort();
      };
      this.#reject.add(fail);
      signal.addEventListener("abort", abort);
      work.then(
        (value) => {
          end();
          resolve(value);
        },
        (error: unknown) => fail(error as Error),
      );
      if (signal.aborted) abort();
    });
  }

  endAll(): void {
    for (const fail of this.#reject) fail(closedError());
  }
}
