// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The parts of a Redis URL. */
export interface RedisUrl {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: boolean;
}

export const DEFAULT_HOST = "127.0.0.1";
export const DEFAULT_PORT = 6379;

/**
 * Parses a url, or says what is wrong with it. Parts without effect are errors: the user meant something by
 * them.
 */
export function parseUrl(text: string): RedisUrl | string {
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
    host: url.hostname === "" ? DEFAULT_HOST : url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? DEFAULT_PORT : Number(url.port),
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
