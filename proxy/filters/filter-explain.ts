// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ExplainKey } from "./explain-key.ts";
import type { Filter } from "./filter.ts";

/** The request header with the explain key. */
export const EXPLAIN_HEADER = "x-purser-explain";

/** Records a request's valid explain key in the exchange, and removes the header from the request. */
export function explainFilter(isKey: ExplainKey | undefined): Filter {
  return {
    name: "explain",
    onRequest(exchange) {
      const { headers } = exchange.request;
      const given = headers.get(EXPLAIN_HEADER);
      if (isKey === undefined || given === undefined) return undefined;
      headers.remove(EXPLAIN_HEADER);
      if (isKey(given)) exchange.explainKey = given;
      return undefined;
    },
  };
}
