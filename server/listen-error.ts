// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { messageOf, PurserError } from "../kernel/errors.ts";
import { portOwner } from "./port-owner.ts";

/** The lowest port that Linux lets every user listen on (net.ipv4.ip_unprivileged_port_start). */
const FIRST_FREE_PORT = 1_024;

/** The address that a server could not listen on: the details of the PurserError. */
export interface ListenDetails {
  readonly host: string;
  readonly port: number;
  /** The part of a document that asks for the port; undefined where a flag does. */
  readonly origin?: string | undefined;
}

/**
 * Turns the error of a server that cannot listen into one that names the address, the document that asks for it and, where the
 * system tells, the process that has it. `error.code` is the operating system's code.
 */
export async function listenError(
  error: Error & { readonly code?: string },
  { host, port, origin }: ListenDetails,
): Promise<PurserError> {
  const where = `${host.includes(":") ? `[${host}]` : host}:${port}${origin === undefined ? "" : ` of ${origin}`}`;
  const options = { cause: error, details: { host, port, origin } };
  switch (error.code) {
    case "EADDRINUSE":
      return new PurserError("PURSER_PORT_TAKEN", `${where} is taken by ${await ownerOf(port)}`, options);
    case "EACCES":
      return new PurserError(
        "PURSER_PORT_FORBIDDEN",
        `this user may not listen on ${where}${remedyOf(port)}`,
        options,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new PurserError("PURSER_PORT_FORBIDDEN", `${where} is no address of this machine`, options);
    default:
      return new PurserError("PURSER_INTERNAL", `cannot listen on ${where}: ${messageOf(error)}`, options);
  }
}

async function ownerOf(port: number): Promise<string> {
  const owner = await portOwner(port);
  if (owner === undefined) return "another program";
  if (owner.pid === process.pid) return "another part of this program";
  return `process ${owner.pid} (${owner.command})`;
}

function remedyOf(port: number): string {
  if (port >= FIRST_FREE_PORT) return "";
  return `: a port below ${FIRST_FREE_PORT} needs the capability CAP_NET_BIND_SERVICE, such as by AmbientCapabilities= of systemd or setcap on node; or choose a higher port`;
}
