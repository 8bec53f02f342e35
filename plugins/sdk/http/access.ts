// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { MapOf } from "../../../core/documents/kinds/map-of.ts";
import { headerNameFault } from "../../../core/attributes/header-fields.ts";
import type { ConfigFault } from "../../../core/hooks/extension.ts";
import { SecretField } from "../../../core/hooks/secrets.ts";

/** Fields of a configuration for an HTTP server that asks for credentials; a `Type.Object` spreads them. */
export const HTTP_ACCESS = {
  headers: MapOf(SecretField({ description: "The header's value, which is never shown." }), {
    default: {},
    description: "More request headers, by name.",
  }),
  token: Type.Optional(
    SecretField({ description: "Sent as `authorization: Bearer TOKEN`; excludes username." }),
  ),
  username: Type.Optional(
    Type.String({ description: "User of basic authorization, with password; excludes token." }),
  ),
  password: Type.Optional(SecretField({ description: "Password of basic authorization." })),
};

/** The values of the fields of HTTP_ACCESS. */
export interface HttpAccess {
  readonly headers: Readonly<Record<string, string>>;
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
}

/** Values that every server reads alike; the client refuses characters beyond Latin-1. */
const HEADER_TEXT = /^[\t\x20-\x7e]*$/;

/** Headers that the client writes itself. */
const CLIENT_HEADERS: readonly string[] = ["content-encoding", "content-type"];

/**
 * Faults of a configuration with a `url` and the fields of HTTP_ACCESS. Messages have no secrets.
 *
 * @param ownHeaders Lower-case names of headers that the adapter writes, which `headers` may not have.
 */
export function httpAccessFaults(
  { url, headers, token, username, password }: HttpAccess & { readonly url: string },
  ownHeaders: readonly string[] = [],
): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  const fault = (path: readonly string[], message: string): void => void faults.push({ path, message });
  const problem = urlProblem(url);
  if (problem !== undefined) fault(["url"], `url ${problem}`);
  if (token !== undefined && username !== undefined)
    fault(["token"], "write either token, or username and password");
  if ((username === undefined) !== (password === undefined))
    fault(["password"], "username and password need each other");
  if (username?.includes(":") === true) fault(["username"], "username may not contain a colon (RFC 7617)");
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    fault(["token"], "token must be ASCII characters without a space");
  const authorized = token !== undefined || username !== undefined;
  const taken = new Set([...CLIENT_HEADERS, ...ownHeaders, ...(authorized ? ["authorization"] : [])]);
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (taken.has(lower)) fault(["headers", name], `the adapter writes the header ${lower} itself`);
    if (seen.has(lower)) fault(["headers", name], `headers has ${lower} twice`);
    seen.add(lower);
    const wrong =
      headerNameFault(lower) ??
      (HEADER_TEXT.test(value)
        ? undefined
        : `the value of header ${lower} may have printable ASCII characters only`);
    if (wrong !== undefined) fault(["headers", name], wrong);
  }
  return faults;
}

function urlProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || !/^https?:\/\//i.test(text))
    return "must begin with http:// or https:// and name a host";
  if (url.username !== "" || url.password !== "")
    return "may not hold a user or a password: write username and password";
  if (text.includes("#")) return "may not have a fragment (#)";
  return undefined;
}

/** The request headers of a configuration without faults, see `httpAccessFaults`. */
export function httpAccessHeaders({
  headers,
  token,
  username,
  password = "",
}: HttpAccess): Record<string, string> {
  const pair = username === undefined ? undefined : Buffer.from(`${username}:${password}`).toString("base64");
  const authorization =
    token === undefined ? (pair === undefined ? undefined : `Basic ${pair}`) : `Bearer ${token}`;
  const written = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return authorization === undefined ? written : { ...written, authorization };
}

/** The URL of an endpoint below a base URL: the base's path, then `path`; the base's query stays. */
export function endpointUrl(base: string, path: string): string {
  const url = new URL(base);
  const prefix = url.pathname.endsWith("/") ? url.pathname.slice(0, -1) : url.pathname;
  url.pathname = `${prefix}${path}`;
  return url.href;
}
