// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { normalizePath } from "../../core/traffic/request-path.ts";

/** A request target taken apart: origin form, or absolute form when `authority` is present. */
interface RequestTarget {
  /** Normalized, always beginning with `/`. */
  readonly path: string;
  /** With its `?`; empty when there is none. */
  readonly query: string;
  readonly authority?: string;
}

/**
 * Undefined when the target is not one that a reverse proxy can forward: authority form, asterisk form, a fragment, or
 * another scheme than the listener's.
 */
export function parseRequestTarget(target: string): RequestTarget | undefined {
  if (target.includes("#")) return undefined;
  let rest = target;
  let authority: string | undefined;
  if (!target.startsWith("/")) {
    const absolute = /^http:\/\/([^/?]*)(.*)$/is.exec(target);
    if (absolute === null) return undefined;
    authority = absolute[1] as string;
    if (authority === "" || !isAuthority(authority)) return undefined;
    rest = absolute[2] as string;
    if (!rest.startsWith("/")) rest = `/${rest}`;
  }
  const mark = rest.indexOf("?");
  const path = normalizePath(mark < 0 ? rest : rest.slice(0, mark));
  const query = mark < 0 ? "" : rest.slice(mark);
  return authority === undefined ? { path, query } : { path, query, authority };
}

/** Host and optional port, without user information. */
export function isAuthority(text: string): boolean {
  return text.length <= 261 && /^(\[[0-9a-f:.]+\]|[\w.~%-]+)?(:\d{0,5})?$/i.test(text);
}

/** Decoded; the first of several values counts, as in Mixer. */
export function parseQuery(query: string): Record<string, string> {
  const params = Object.create(null) as Record<string, string>;
  if (query.length <= 1) return params;
  for (const [name, value] of new URLSearchParams(query)) params[name] ??= value;
  return params;
}
