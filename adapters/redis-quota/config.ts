// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Duration, durationMs, SecretField, type Static, Type } from "../../plugins/sdk/index.ts";

export const CONFIG = Type.Object({
  url: Type.Optional(
    SecretField({
      description:
        "redis://[user:password@]host[:port][/db], or rediss:// for TLS. In place of host, port, username, password, db and tls.",
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
      "Put before every key. It must have a {hash tag}, so that the quotas of a request live on one node of a cluster. " +
      "Mixers that share quotas share the prefix.",
  }),
  timeout: Duration("How long a call may take in all before the policy's onStoreFailure decides.", {
    default: "100ms",
  }),
});

export type Config = Static<typeof CONFIG>;

/** Where Redis is, and how to be let in. */
export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: boolean;
  readonly timeoutMs: number;
}

/** @throws TypeError, which never shows the url: it may hold a password. */
export function targetOf(config: Config): RedisTarget {
  const { url, host, port, username, password, db, tls } = config;
  const timeoutMs = durationMs(config.timeout);
  if (timeoutMs < 1) throw new TypeError("timeout must be 1ms at least");
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
  if ([host, port, username, password, db, tls].some((field) => field !== undefined)) {
    throw new TypeError("either url, or host, port, username, password, db and tls; not both");
  }
  return { ...parseUrl(url), timeoutMs };
}

function parseUrl(text: string): Omit<RedisTarget, "timeoutMs"> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const db = /^\/?([0-9]*)$/.exec(url?.pathname ?? "-")?.[1];
  if (url === undefined || db === undefined || !["redis:", "rediss:"].includes(url.protocol)) {
    throw new TypeError("url is not of the form redis://[user:password@]host[:port][/db]");
  }
  return {
    // An IPv6 address stands in brackets in a URL, and nowhere else.
    host: url.hostname === "" ? "127.0.0.1" : url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? 6379 : Number(url.port),
    username: url.username === "" ? undefined : decodeURIComponent(url.username),
    password: url.password === "" ? undefined : decodeURIComponent(url.password),
    db: Number(db),
    tls: url.protocol === "rediss:",
  };
}
