// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";
import { isAddress } from "../../kernel/matching/ip-blocks.ts";

/**
 * Control surfaces have no authentication, so they must not be usable from a web page that somebody on the same network
 * happens to read. A page reaches them in two ways: by a cross-site request, which browsers mark with Origin or
 * Sec-Fetch-Site (fetch.spec.whatwg.org; w3c.github.io/webappsec-fetch-metadata), and by DNS rebinding, where the page's own
 * name leads to loopback and only the Host header shows it.
 */
export interface SurfaceNames {
  /** The address or name that the surface listens on. */
  readonly boundHost: string;
  /** Further names that it is reached by; `.example.com` is every name below example.com. Default none. */
  readonly allowedHosts?: readonly string[];
}

/** The header fields of a request by lower-case name, as node:http gives them. */
export type SurfaceHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What forbids a request to a control surface; undefined when nothing does. */
export type SurfaceGuard = (headers: SurfaceHeaders) => PurserError | undefined;

/**
 * The guard of one control surface.
 *
 * - A request that a browser marks as coming from another site or origin: PURSER_ORIGIN_FORBIDDEN.
 * - A Host that this surface is not known by: PURSER_HOST_FORBIDDEN. Known are IP addresses, `localhost` and the names below
 *   it, names without a dot (public DNS has none), the name listened on, and `allowedHosts`. A surface that listens beyond
 *   loopback is reached by names that only its operator knows: without `allowedHosts` it takes any Host, except from browsers
 *   that send an Origin.
 */
export function createSurfaceGuard({ boundHost, allowedHosts = [] }: SurfaceNames): SurfaceGuard {
  const named = [boundHost, ...allowedHosts].map((name) => name.toLowerCase());
  const isKnown = (host: string): boolean => {
    const name = nameOf(host);
    return name !== undefined && (isPrivateName(name) || named.some((known) => covers(known, name)));
  };
  const takesAnyHost = allowedHosts.length === 0 && !isLoopback(boundHost);
  return (headers) => {
    const { host, origin, "sec-fetch-site": site } = headers;
    if (site !== undefined && site !== "same-origin" && site !== "none") {
      return forbidden(
        `the browser says that this request comes from another site (Sec-Fetch-Site: ${String(site)})`,
      );
    }
    if (origin !== undefined && !(typeof host === "string" && isSameOrigin(origin, host) && isKnown(host))) {
      return forbidden(`the browser says that this request comes from ${String(origin)}`);
    }
    // HTTP/1.0 without a Host is no browser's.
    if (host === undefined || takesAnyHost || (typeof host === "string" && isKnown(host))) return undefined;
    return new PurserError(
      "PURSER_HOST_FORBIDDEN",
      `${JSON.stringify(host)} is not a name of this server: reach it by its address, or start it with --allowed-hosts and the name`,
    );
  };
}

/**
 * Refuses a body that is not declared as JSON: a page can send other types to another site without asking first. A request
 * without a Content-Type is taken for JSON: browsers mark theirs with an Origin, which the guard has looked at.
 *
 * @throws {PurserError} PURSER_CONTENT_TYPE.
 */
export function requireJsonType(headers: SurfaceHeaders): void {
  const type = headers["content-type"];
  if (type === undefined || (typeof type === "string" && JSON_TYPE.test(type))) return;
  throw new PurserError(
    "PURSER_CONTENT_TYPE",
    `the body has the Content-Type ${JSON.stringify(type)}: send application/json`,
  );
}

const JSON_TYPE = /^\s*application\/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?;?\s*$/i;

function forbidden(message: string): PurserError {
  return new PurserError("PURSER_ORIGIN_FORBIDDEN", message);
}

/** A Host field's name, lower case, without port, brackets and final dot; undefined when it has another form. */
function nameOf(host: string): string | undefined {
  const [, v6, name] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]*)?$/i.exec(host) ?? [];
  return (v6 ?? name?.replace(/\.$/, ""))?.toLowerCase();
}

/** A name that no stranger can have in public DNS, so that it cannot be rebound. */
function isPrivateName(name: string): boolean {
  return isAddress(name) || /^[a-z0-9_-]+$/.test(name) || name.endsWith(".localhost");
}

function covers(known: string, name: string): boolean {
  return known.startsWith(".") ? name.endsWith(known) && name.length > known.length : known === name;
}

function isLoopback(host: string): boolean {
  return host === "::1" || host.toLowerCase() === "localhost" || (isAddress(host) && host.startsWith("127."));
}

/** Whether an Origin is that of the Host that was asked; `null`, the origin of sandboxed pages, is nobody's. */
function isSameOrigin(origin: string | readonly string[], host: string): boolean {
  const [, scheme, authority] =
    (typeof origin === "string" ? /^(https?):\/\/([^/?#@\\]+)$/i.exec(origin) : undefined) ?? [];
  if (scheme === undefined || authority === undefined) return false;
  const withoutDefault = (text: string): string =>
    text.toLowerCase().replace(scheme.toLowerCase() === "https" ? /:443$/ : /:80$/, "");
  return withoutDefault(authority) === withoutDefault(host);
}
