// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ExplainKey } from "./explain-key.ts";
import type { Filter } from "./filter.ts";

/** What a client names the key in. */
export const EXPLAIN_HEADER = "x-purser-explain";

/** Notes that a request asks, with the right key, why it is decided as it is; and takes the key out of it. */
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
