// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { errorReply } from "../exchange/local-reply.ts";
import { isNamedInVia } from "../transport/fields/via-names.ts";
import { flagsOfAll, VIA } from "../transport/fields/name-flags.ts";
import type { Filter } from "./filter.ts";

/**
 * `via` (RFC 9110, section 7.6.3): adds this proxy to requests and to upstreams' responses. Refuses a request
 * that has been here before, which shows that the routes of several proxies form a loop. Local replies have
 * no `via`: nothing forwarded them.
 *
 * @param pseudonym The proxy's name in the field, which no other proxy may use. Undefined: the field is
 *   forwarded as it arrives.
 */
export function viaFilter(pseudonym: string | undefined): Filter {
  if (pseudonym === undefined) return { name: "via" };
  const own = pseudonym.toLowerCase();
  return {
    name: "via",
    onRequest({ request, nameFlags }) {
      const { headers, httpVersion } = request;
      const before = (nameFlags & VIA) === 0 ? undefined : headers.get("via");
      if (before !== undefined && isNamedInVia(before, own)) {
        return errorReply(
          "loop_detected",
          `The request has passed ${pseudonym} before: its Via field names it.`,
        );
      }
      // One field, so that policies do not take the request for one with a repeated field.
      const entry = `${httpVersion} ${pseudonym}`;
      headers.set("via", before === undefined ? entry : `${before}, ${entry}`);
      return undefined;
    },
    onResponse({ details, endpoint }, { headers }) {
      if (details !== "via_upstream") return;
      const before = (flagsOfAll(headers) & VIA) === 0 ? undefined : headers.get("via");
      const entry = `${endpoint?.protocol === "http2" ? "2" : "1.1"} ${pseudonym}`;
      headers.set("via", before === undefined ? entry : `${before}, ${entry}`);
    },
  };
}
