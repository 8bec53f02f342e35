// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { LocalReply } from "../exchange/local-reply.ts";
import type { ResponseHead } from "../transport/contract/head.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { Filter } from "./filter.ts";

type Hook<N extends keyof Filter> = NonNullable<Filter[N]>;

/** The filters of every request, with the hooks of each kind in a list of their own. */
export class FilterChain {
  readonly #onRequest: readonly Hook<"onRequest">[];
  readonly #onResponse: readonly Hook<"onResponse">[];
  readonly #onRequestTrailers: readonly Hook<"onRequestTrailers">[];
  readonly #onResponseTrailers: readonly Hook<"onResponseTrailers">[];
  readonly #onComplete: readonly Hook<"onComplete">[];

  /** @param filters From the first filter of a request to the last. */
  constructor(filters: readonly Filter[]) {
    this.#onRequest = filters.flatMap(({ onRequest }) => onRequest ?? []);
    this.#onResponse = filters.flatMap(({ onResponse }) => onResponse ?? []).reverse();
    this.#onRequestTrailers = filters.flatMap(({ onRequestTrailers }) => onRequestTrailers ?? []);
    this.#onResponseTrailers = filters
      .flatMap(({ onResponseTrailers }) => onResponseTrailers ?? [])
      .reverse();
    this.#onComplete = filters.flatMap(({ onComplete }) => onComplete ?? []);
  }

  /** Runs the request down the chain, synchronously for as long as no filter returns a promise. */
  request(exchange: Exchange, from = 0): MaybePromise<LocalReply | undefined> {
    const hooks = this.#onRequest;
    for (let index = from; index < hooks.length; index++) {
      const result = (hooks[index] as Hook<"onRequest">)(exchange);
      if (result === undefined) continue;
      if (!isPromise(result)) return result;
      return result.then((reply) => reply ?? this.request(exchange, index + 1));
    }
    return undefined;
  }

  /** Runs a response head up the chain. */
  response(exchange: Exchange, response: ResponseHead): void {
    for (const hook of this.#onResponse) hook(exchange, response);
  }

  /** Removes the trailers that a request may not have. */
  requestTrailers(exchange: Exchange, trailers: HeaderList): void {
    for (const hook of this.#onRequestTrailers) hook(exchange, trailers);
  }

  /** Removes the trailers that a response may not have. */
  responseTrailers(exchange: Exchange, trailers: HeaderList): void {
    for (const hook of this.#onResponseTrailers) hook(exchange, trailers);
  }

  /** Tells every filter that the exchange is over. */
  complete(exchange: Exchange): void {
    for (const hook of this.#onComplete) hook(exchange);
  }
}
