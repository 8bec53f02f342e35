// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type ConfigFault,
  Duration,
  durationMs,
  SecretField,
  type Static,
  Type,
} from "../../plugins/sdk/index.ts";

export const CONFIG = Type.Object({
  url: Type.Optional(
    SecretField({
      description:
        "redis://[[user]:password@]host[:port][/db], or rediss:// for TLS; no other form. Replaces host, port, username, password, db and tls.",
    }),
  ),
  host: Type.Optional(
    Type.String({ minLength: 1, description: "A host name or address; default 127.0.0.1." }),
  ),
  port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, description: "Default 6379." })),
  username: Type.Optional(
    Type.String({ description: "A user of Redis 6 ACLs; the default user when absent." }),
  ),
  password: Type.Optional(SecretField({ description: "The user's password." })),
  db: Type.Optional(Type.Integer({ minimum: 0, description: "The number of the database; default 0." })),
  tls: Type.Optional(
    Type.Boolean({ description: "Speak TLS, and verify the server's certificate; default false." }),
  ),
  keyPrefix: Type.String({
    default: "purser:{quota}:",
    pattern: "^[^{}]*\\{[^{}]+\\}[^{}]*$",
    description:
      "Prefix of every key. It must have a {hash tag}, so that the quotas of a request are on one node of a cluster. " +
      "Mixers that share quotas share the prefix.",
  }),
  timeout: Duration("Longest time of a call; after it the policy's onStoreFailure decides.", {
    default: "100ms",
  }),
});

export type Config = Static<typeof CONFIG>;

/** Address and credentials of Redis. */
export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: boolean;
  readonly timeoutMs: number;
}

/** The fields that `url` replaces. */
const PARTS = ["host", "port", "username", "password", "db", "tls"] as const;

/** Lone surrogates, which UTF-8 cannot encode. */
const HALF_A_PAIR = /\p{Surrogate}/u;

/** Checks beyond the schema. No message shows the url: it may hold a password. */
export function faultsOf(config: Config): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  if (durationMs(config.timeout) < 1)
    faults.push({ path: ["timeout"], message: "timeout must be 1ms at least" });
  for (const part of ["username", "password"] as const) {
    if (HALF_A_PAIR.test(config[part] ?? ""))
      faults.push({
        path: [part],
        message: `${part} has half of a surrogate pair, which has no bytes to send`,
      });
  }
  const { url } = config;
  if (url === undefined) {
    if (config.username !== undefined && config.password === undefined)
      faults.push({ path: ["username"], message: "a username needs a password: Redis logs in with both" });
    return faults;
  }
  const twice = PARTS.filter((part) => config[part] !== undefined);
  faults.push(
    ...twice.map((part) => ({
      path: [part],
      message: `write either url, or ${PARTS.join(", ")}; the url says what ${part} is`,
    })),
  );
  const parsed = parseUrl(url);
  if (typeof parsed === "string") faults.push({ path: ["url"], message: `url ${parsed}` });
  return faults;
}

/** @param config A configuration without faults, see `faultsOf`. */
export function targetOf(config: Config): RedisTarget {
  const { url, host, port, username, password, db, tls } = config;
  const timeoutMs = durationMs(config.timeout);
  if (url === undefined) {
    return {
      host: host ?? "127.0.0.1",
      port: port ?? 6379,
      username,
      password,
      db: db ?? 0,
      tls: tls ?? false,
      timeoutMs,
    };
  }
  const parsed = parseUrl(url);
  if (typeof parsed === "string") throw new TypeError(`url ${parsed}`);
  return { ...parsed, timeoutMs };
}

/**
 * Parses a url, or says what is wrong with it. Parts without effect are errors: the user meant something by
 * them.
 */
function parseUrl(text: string): Omit<RedisTarget, "timeoutMs"> | string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^rediss?:\/\//i.test(text)) return `is not of the form ${FORM}`;
  const db = /^\/?([0-9]{0,9})$/.exec(url.pathname)?.[1];
  if (db === undefined) return `has a path that is not the number of a database, such as /3: ${FORM}`;
  if (text.includes("?"))
    return "has a query, which is not supported: write the user and password before the host, the database after it, and rediss:// for TLS";
  if (text.includes("#"))
    return "has a # and what follows it, which is not supported: write %23 within a password";
  if (url.port === "0") return "has the port 0";
  if (url.hostname.includes("%")) return "has a host name with %, which no host has";
  if (url.username !== "" && url.password === "")
    return "has a user without a password: write user:password@";
  const [username, password] = [decoded(url.username), decoded(url.password)];
  if (username === undefined || password === undefined)
    return "has a user or password with a % that is not followed by two hexadecimal digits: write %25 for %";
  return {
    // URLs put IPv6 addresses in brackets; the client does not.
    host: url.hostname === "" ? "127.0.0.1" : url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? 6379 : Number(url.port),
    username: username === "" ? undefined : username,
    password: password === "" ? undefined : password,
    db: Number(db),
    tls: url.protocol === "rediss:",
  };
}

const FORM = "redis://[[user]:password@]host[:port][/db], or rediss:// for TLS";

/** undefined for text that is not percent-encoded UTF-8. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
