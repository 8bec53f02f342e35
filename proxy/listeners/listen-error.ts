// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { messageOf, PurserError } from "../../core/kernel/errors.ts";

/** Why a server cannot listen, as an error that names the address. */
export function listenError(error: NodeJS.ErrnoException, host: string, port: number): PurserError {
  const where = `${host}:${port}`;
  if (error.code === "EADDRINUSE") {
    return new PurserError("PURSER_PORT_TAKEN", `${where} is taken by another program`, { cause: error });
  }
  if (error.code === "EACCES" || error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND") {
    return new PurserError("PURSER_PORT_FORBIDDEN", `cannot listen on ${where}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return new PurserError("PURSER_INTERNAL", `cannot listen on ${where}: ${messageOf(error)}`, {
    cause: error,
  });
}
