// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { messageOf, PurserError } from "./errors.ts";

/** What prevents it, by the operating system's codes: permission, and addresses that are not this host's. */
const FORBIDDEN: ReadonlySet<string | undefined> = new Set(["EACCES", "EADDRNOTAVAIL", "ENOTFOUND"]);

/** Why a server cannot listen, as an error that names the address. `code` is the operating system's. */
export function listenError(
  error: Error & { readonly code?: string },
  host: string,
  port: number,
): PurserError {
  const where = `${host}:${port}`;
  if (error.code === "EADDRINUSE") {
    return new PurserError("PURSER_PORT_TAKEN", `${where} is taken by another program`, { cause: error });
  }
  const code = FORBIDDEN.has(error.code) ? "PURSER_PORT_FORBIDDEN" : "PURSER_INTERNAL";
  return new PurserError(code, `cannot listen on ${where}: ${messageOf(error)}`, { cause: error });
}
