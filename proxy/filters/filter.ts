// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ResponseHead } from "../transport/contract/head.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { LocalReply } from "../exchange/local-reply.ts";

/**
 * One step that every request takes. A filter keeps no state for a request: it records what it learns in the
 * exchange. Its hooks are functions, which are called without the filter as `this`. To add a filter, write `filter-NAME.ts` beside this file and place it in `chain.ts`.
 */
export interface Filter {
  readonly name: string;
  /**
   * Called in the chain's order. Returns undefined to go on, or the local reply that ends the request here; a
   * promise only when it must wait. A throw or rejection ends the request with 500.
   */
  readonly onRequest?: (exchange: Exchange) => MaybePromise<LocalReply | undefined>;
  /**
   * Called in reverse order for every response head, including those of local replies, so that the filter
   * next to the client has the last word. Must not throw.
   */
  readonly onResponse?: (exchange: Exchange, response: ResponseHead) => void;
  /**
   * Called in the chain's order with a request's trailers, to remove fields. The request has been decided by
   * then. Must not throw.
   */
  readonly onRequestTrailers?: (exchange: Exchange, trailers: HeaderList) => void;
  /** Called in reverse order with a response's trailers, to remove fields. Must not throw. */
  readonly onResponseTrailers?: (exchange: Exchange, trailers: HeaderList) => void;
  /** Called once, in the chain's order, when the exchange is over, however it ended. Must not throw. */
  readonly onComplete?: (exchange: Exchange) => void;
}
