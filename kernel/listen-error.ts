// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { messageOf, PurserError } from "./errors.ts";

/** System error codes for a missing permission, and for an address that is not one of this host's. */
const FORBIDDEN: ReadonlySet<string | undefined> = new Set(["EACCES", "EADDRNOTAVAIL", "ENOTFOUND"]);

/**
 * Turns the error of a server that cannot listen into one that names the address. `error.code` is the
 * operating system's code.
 */
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
