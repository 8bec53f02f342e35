// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

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
 *
 * The path is normalized as Istio does by default (`pathNormalization: BASE`): `\` is `/`, escapes of unreserved
 * characters are undone, dot segments resolved. Policies, routes and the upstream then all see the same path, so that
 * `/public/..%2e/admin` and its like go round no policy. `%2F` and `//` stay as they are.
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

function normalizePath(path: string): string {
  // Nearly every path is normal already, and this test is all that it costs.
  if (!/[%\\]|\/\./.test(path)) return path;
  const plain = path
    .replace(/%([2-7][0-9a-f])/gi, (escape, hex: string) => {
      const character = String.fromCharCode(Number.parseInt(hex, 16));
      return /[\w.~-]/.test(character) ? character : escape;
    })
    .replaceAll("\\", "/");
  return plain.includes("/.") ? removeDotSegments(plain) : plain;
}

/** RFC 3986 section 5.2.4. */
function removeDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === "..") kept.pop();
    if (segment !== "." && segment !== "..") kept.push(segment);
    else if (last) kept.push("");
  }
  return `/${kept.join("/")}`;
}
