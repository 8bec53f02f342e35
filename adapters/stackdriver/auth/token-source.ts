// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type AbortSignalLike,
  type CallContext,
  type Clock,
  PurserError,
  type Scheduler,
} from "../../../plugins/sdk/index.ts";

/** Access tokens for Google's services. */
export interface TokenSource {
  /**
   * A valid access token; undefined when calls carry none.
   *
   * @throws PurserError PURSER_HANDLER_FAILED: retryable when the token server is not available, permanent when the
   *   credentials are wrong; PURSER_HANDLER_TIMEOUT when the call's signal aborts first.
   */
  token(call: CallContext): Promise<string | undefined>;
  /** Forgets a token that a service refused. Returns false for a new token, which a newer one would not improve on. */
  renew(token: string): boolean;
  close(): void;
}

export interface AccessToken {
  readonly token: string;
  /** Remaining lifetime in milliseconds. */
  readonly lifetimeMs: number;
}

export const NO_TOKENS: TokenSource = {
  token: () => Promise.resolve(undefined),
  renew: () => false,
  close() {},
};

/** Maximum time to get a token, in milliseconds. */
const FETCH_DEADLINE_MS = 10_000;

/** Tokens are renewed this long before they expire, so that none expires on its way; they usually live an hour. */
const MARGIN_MS = 300_000;

/** A token younger than this, in milliseconds, is not renewed because a service refused it. */
const NEW_MS = 60_000;

interface Held extends AccessToken {
  readonly sinceMs: number;
}

/** Keeps one token until it expires soon. Calls that need a token at the same time share one request for it. */
export class CachedTokens implements TokenSource {
  readonly #fetch: (call: CallContext) => Promise<AccessToken>;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #onClose: () => void;
  #held: Held | undefined;
  #pending: Promise<string> | undefined;
  #abort: (() => void) | undefined;
  #closed = false;

  constructor(
    fetch: (call: CallContext) => Promise<AccessToken>,
    ports: { readonly clock: Clock; readonly scheduler: Scheduler },
    onClose: () => void = () => {},
  ) {
    this.#onClose = onClose;
    this.#fetch = fetch;
    this.#clock = ports.clock;
    this.#scheduler = ports.scheduler;
  }

  token({ signal }: CallContext): Promise<string> {
    if (this.#closed)
      return Promise.reject(
        new PurserError("PURSER_HANDLER_FAILED", "the handler is closed", { retryable: false }),
      );
    const held = this.#held;
    if (held !== undefined && this.#ageOf(held) < held.lifetimeMs - Math.min(MARGIN_MS, held.lifetimeMs / 2))
      return Promise.resolve(held.token);
    return within(signal, (this.#pending ??= this.#renewed().finally(() => (this.#pending = undefined))));
  }

  renew(token: string): boolean {
    // Another call has forgotten or renewed it already.
    if (this.#held?.token !== token) return true;
    if (this.#ageOf(this.#held) < NEW_MS) return false;
    this.#held = undefined;
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#held = undefined;
    this.#abort?.();
    this.#onClose();
  }

  #ageOf(held: Held): number {
    return this.#clock.monotonicMs() - held.sinceMs;
  }

  async #renewed(): Promise<string> {
    const controller = new AbortController();
    this.#abort = () => controller.abort();
    const cancel = this.#scheduler.after(FETCH_DEADLINE_MS, this.#abort);
    try {
      const sinceMs = this.#clock.monotonicMs();
      const fetched = await within(controller.signal, this.#fetch({ signal: controller.signal }));
      this.#held = { ...fetched, sinceMs };
      return fetched.token;
    } finally {
      cancel();
      this.#abort = undefined;
    }
  }
}

/** The promise's outcome, unless the signal aborts first. */
function within<T>(signal: AbortSignalLike, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      end();
      reject(new PurserError("PURSER_HANDLER_TIMEOUT", "there was no access token in time"));
    };
    const end = (): void => signal.removeEventListener("abort", onAbort);
    promise.finally(end).then(resolve, reject);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
  });
}
