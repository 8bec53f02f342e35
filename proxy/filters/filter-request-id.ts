// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Filter } from "./filter.ts";

/** What may pass for an id in logs and headers. */
const ACCEPTABLE = /^[\x21-\x7e]{1,128}$/;

/** `x-request-id`: an edge makes a fresh one, the proxies behind it keep what the edge made. */
export function requestIdFilter(newId: () => string): Filter {
  return {
    name: "request-id",
    onRequest(exchange) {
      const { headers } = exchange.request;
      const given = exchange.listener.edge ? undefined : headers.get("x-request-id");
      const id = given !== undefined && ACCEPTABLE.test(given) ? given : newId();
      if (id !== given) headers.set("x-request-id", id);
      exchange.requestId = id;
      return undefined;
    },
  };
}
