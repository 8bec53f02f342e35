// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Form of the values of a condition's key. */
export type KeyForm = "text" | "address" | "port";

/** An attribute that a condition of an AuthorizationPolicy names. */
export interface AuthorizationKey {
  /** Names of the bag's properties, from the root. */
  readonly path: readonly string[];
  readonly form: KeyForm;
  /** Connections of TCP have no such attribute. */
  readonly isOfHttp: boolean;
}

const KEYS: Readonly<Record<string, AuthorizationKey>> = {
  "source.ip": { path: ["source", "ip"], form: "address", isOfHttp: false },
  "remote.ip": { path: ["origin", "ip"], form: "address", isOfHttp: true },
  "source.namespace": { path: ["source", "namespace"], form: "text", isOfHttp: false },
  "source.principal": { path: ["source", "principal"], form: "text", isOfHttp: false },
  "request.auth.principal": { path: ["request", "auth", "principal"], form: "text", isOfHttp: true },
  "request.auth.audiences": { path: ["request", "auth", "claims", "aud"], form: "text", isOfHttp: true },
  "request.auth.presenter": { path: ["request", "auth", "presenter"], form: "text", isOfHttp: true },
  "destination.ip": { path: ["destination", "ip"], form: "address", isOfHttp: false },
  "destination.port": { path: ["destination", "port"], form: "port", isOfHttp: false },
  "connection.sni": { path: ["connection", "requested_server_name"], form: "text", isOfHttp: false },
};

const HEADER = /^request\.headers\[([^[\]]+)\]$/;
const CLAIMS = /^request\.auth\.claims((?:\[[^[\]]+\])+)$/;

/** Names that a user may write for `when[].key`, for suggestions. */
export const AUTHORIZATION_KEYS: readonly string[] = [
  ...Object.keys(KEYS),
  "request.headers[NAME]",
  "request.auth.claims[NAME]",
];

/** The attribute of a condition's key; undefined for a key that Istio does not have. */
export function authorizationKey(key: string): AuthorizationKey | undefined {
  if (Object.hasOwn(KEYS, key)) return KEYS[key];
  const header = HEADER.exec(key)?.[1];
  if (header !== undefined)
    return { path: ["request", "headers", header.toLowerCase()], form: "text", isOfHttp: true };
  const claims = CLAIMS.exec(key)?.[1];
  if (claims === undefined) return undefined;
  const names = claims.slice(1, -1).split("][");
  return { path: ["request", "auth", "claims", ...names], form: "text", isOfHttp: true };
}
