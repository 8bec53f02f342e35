// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HashCookie, HashSource } from "../../core/traffic/resources/load-balancer.ts";
import { parseQuery } from "../../kernel/canonical/query.ts";
import { textHash } from "../../kernel/text-hash.ts";
import type { Exchange } from "./exchange.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";

/** The value by which consistent hashing chooses a request's endpoint. */
export interface RequestAffinity {
  /** An integer from 0 to 2^53 − 1; undefined for a request without the value. */
  readonly hash: number | undefined;
  /** Value of the Set-Cookie field for the response, when the request has no cookie and gets one. */
  readonly setCookie: string | undefined;
}

const NONE: RequestAffinity = { hash: undefined, setCookie: undefined };

/** Reads the value from the request as it goes upstream. */
export function affinityOf(
  source: HashSource,
  { request, originIp, connection }: Pick<Exchange, "request" | "originIp" | "connection">,
): RequestAffinity {
  switch (source.kind) {
    case "header":
      return affinityTo(request.headers.get(source.name));
    case "query":
      return affinityTo(parseQuery(request.query).first[source.name]);
    case "source-ip":
      return affinityTo(originIp === "" ? undefined : originIp);
    case "cookie": {
      const value = cookieValue(request.headers, source.name);
      if (value !== undefined || source.ttlSeconds === undefined) return affinityTo(value);
      // Envoy's rule: concurrent first requests of one client on one connection get the same cookie.
      const generated = textHash(originIp, textHash(connection.id)).toString(16).padStart(14, "0");
      return { hash: textHash(generated), setCookie: setCookieOf(source, source.ttlSeconds, generated) };
    }
  }
}

function affinityTo(value: string | undefined): RequestAffinity {
  return value === undefined ? NONE : { hash: textHash(value), setCookie: undefined };
}

/** The first cookie of the name, without quotes; undefined when it is absent or empty. */
function cookieValue(headers: HeaderList, name: string): string | undefined {
  const prefix = `${name}=`;
  for (const field of headers.values("cookie")) {
    for (const part of field.split(";")) {
      const pair = part.trim();
      if (!pair.startsWith(prefix)) continue;
      const value = pair.slice(prefix.length);
      const bare =
        value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
      return bare === "" ? undefined : bare;
    }
  }
  return undefined;
}

/** The attributes that Envoy writes, in its order. */
function setCookieOf({ name, path, attributes }: HashCookie, ttlSeconds: number, value: string): string {
  const parts = [`${name}=${value}`];
  if (ttlSeconds > 0) parts.push(`Max-Age=${ttlSeconds}`);
  if (path !== undefined) parts.push(`Path=${path}`);
  for (const attribute of attributes) {
    parts.push(attribute.value === undefined ? attribute.name : `${attribute.name}=${attribute.value}`);
  }
  parts.push("HttpOnly");
  return parts.join("; ");
}
