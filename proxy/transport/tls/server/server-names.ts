// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { compareExactness, hostCovers } from "../../../../core/traffic/host-name.ts";

/** A server under one of its names. */
export interface NamedServer<S> {
  /** `shop.example.com`, `*.example.com` or `*`. */
  readonly pattern: string;
  readonly server: S;
}

/** The servers under each of their names, the most exact name first. */
export function byExactness<S>(
  servers: readonly S[],
  namesOf: (server: S) => readonly string[],
): readonly NamedServer<S>[] {
  return servers
    .flatMap((server) => namesOf(server).map((pattern) => ({ pattern, server })))
    .toSorted((a, b) => compareExactness(a.pattern, b.pattern));
}

/** The server of the name that a client asks for; a client that names none gets the server of `*`. */
export function serverOfName<S>(
  named: readonly NamedServer<S>[],
  serverName: string | undefined,
): S | undefined {
  return named.find(({ pattern }) =>
    serverName === undefined ? pattern === "*" : hostCovers(pattern, serverName),
  )?.server;
}
