// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Filter } from "./filter.ts";

/** A request id that is safe in logs and headers. */
const ACCEPTABLE = /^[\x21-\x7e]{1,128}$/;

/** `x-request-id`: an edge makes a fresh id, and the proxies behind it keep the edge's. */
export function requestIdFilter(newId: () => string): Filter {
  return {
    name: "request-id",
    onRequest(exchange) {
      const { headers } = exchange.request;
      const given = exchange.listener.edge ? undefined : headers.get("x-request-id");
      const id = given !== undefined && ACCEPTABLE.test(given) ? given : newId();
      if (id !== given) headers.setPlain("x-request-id", id);
      exchange.requestId = id;
      return undefined;
    },
  };
}
