// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeValue } from "./bag.ts";
import type { Authority } from "../../kernel/canonical/authority.ts";
import { headerValues } from "../../kernel/canonical/header-values.ts";
import { parseQuery } from "../../kernel/canonical/query.ts";

/** An HTTP request whose parts are in canonical form (kernel/canonical/). */
export interface CanonicalRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  readonly authority: Authority;
  readonly path: string;
  /** The query with its `?`; empty when there is none. */
  readonly query: string;
  /** name, value, name, value …: names in lower case, values as binary strings. */
  readonly headers: readonly string[];
}

export type AttributeGroup = { readonly [name: string]: AttributeValue | undefined };

/**
 * Builds the attributes `request.*` from a request's head. No other code builds them, so that proxies,
 * `/auth`, `purser explain` and tests decide by the same bag.
 */
export function requestGroup(request: CanonicalRequest): AttributeGroup {
  const { method, scheme, authority, path, query } = request;
  const headers = headerValues(request.headers);
  const parameters = parseQuery(query);
  return present({
    method,
    scheme,
    host: authority.host === "" ? undefined : authority.host,
    port: authority.port,
    path: path + query,
    url_path: path,
    query_params: parameters.first,
    repeated_query_params: parameters.repeated,
    headers: headers.joined,
    repeated_headers: headers.repeated,
    useragent: headers.joined["user-agent"],
    referer: headers.joined["referer"],
  });
}

/** Removes attributes that are undefined: an absent attribute is an absent property. */
export function present(group: AttributeGroup): AttributeGroup {
  const kept: Record<string, AttributeValue | undefined> = {};
  for (const name in group) if (group[name] !== undefined) kept[name] = group[name];
  return kept;
}
