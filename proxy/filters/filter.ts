// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ResponseHead } from "../transport/contract/head.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { LocalReply } from "../exchange/local-reply.ts";

/**
 * One step that every request takes. A filter keeps nothing about a request of its own: what it learns stands in the
 * exchange. To add one, write `filter-NAME.ts` beside this file and give it its place in `chain.ts`.
 */
export interface Filter {
  readonly name: string;
  /**
   * Called in the chain's order. Returns undefined to go on, or the reply that ends the request here; a promise only
   * when the answer is really not at hand. What throws or rejects ends the request with 500.
   */
  onRequest?(exchange: Exchange): MaybePromise<LocalReply | undefined>;
  /**
   * Called in the reverse order for every response head, local replies' too, so that the filter next to the client has
   * the last word. Must not throw.
   */
  onResponse?(exchange: Exchange, response: ResponseHead): void;
  /**
   * Called in the chain's order for the trailers of a request, to take fields away. The request is decided by then.
   * Must not throw.
   */
  onRequestTrailers?(exchange: Exchange, trailers: HeaderList): void;
  /** Called in the reverse order for the trailers of a response, to take fields away. Must not throw. */
  onResponseTrailers?(exchange: Exchange, trailers: HeaderList): void;
  /** Called once in the chain's order when the exchange is over, however it ended. Must not throw. */
  onComplete?(exchange: Exchange): void;
}
