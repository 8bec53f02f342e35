// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Listener } from "../../core/traffic/resources/listener.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { ListenDetails } from "../../server/listen-error.ts";
import type { ProxySnapshot } from "../snapshot/snapshot.ts";
import type { HeldCredential } from "../transport/tls/credentials/credential-store.ts";
import { type ListenerServices, ListenerServer } from "./listener-server.ts";

export interface ListenerAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `https` for a listener with TLS; `tcp`, or `tls`, for one that forwards bytes alone. */
  readonly scheme: "http" | "https" | "tcp" | "tls";
}

/** All listeners of a proxy, updated with each new configuration. */
export class ListenerSet {
  readonly #services: ListenerServices;
  readonly #servers = new Map<string, ListenerServer>();
  /** Removed listeners that still have requests under way. */
  readonly #leaving = new Map<ListenerServer, Promise<void>>();

  constructor(services: ListenerServices) {
    this.#services = services;
  }

  /**
   * Starts added listeners, rebinds unchanged ones, and only then begins to drain removed ones. A listener
   * whose host and port stay keeps its socket and connections.
   *
   * @returns Errors of listeners that could not listen; the next update tries them again.
   */
  async update(snapshot: ProxySnapshot, drainMs: number): Promise<readonly unknown[]> {
    const { wanted, errors } = distinctAddresses(snapshot.resources.listeners.resources);
    const credentials = this.#holdCredentials(snapshot);
    // The files of new certificates are read first: without them, the first clients would be refused.
    const settled = this.#services.tls.credentials.settled();
    if (settled !== undefined) await settled;
    const failed = await this.#start(wanted, snapshot);
    for (const credential of credentials) credential.release();
    const freedPorts = new Set<number>();
    const removed = [...this.#servers].filter(([key]) => !wanted.has(key));
    await Promise.all(removed.map(([, server]) => server.acceptWaiting(drainMs)));
    for (const [key, server] of removed) {
      // A drain of all listeners may have begun meanwhile.
      if (!this.#servers.has(key)) continue;
      this.#servers.delete(key);
      freedPorts.add(server.address.port);
      this.#leave(server, drainMs);
    }
    // A listener that left may have been in the way on another address of the port: 0.0.0.0 of 127.0.0.1.
    const again = new Map([...failed.keys()].filter(([, { port }]) => freedPorts.has(port)));
    const others = [...failed].filter(([[key]]) => !again.has(key));
    const stillFailed = await this.#start(again, snapshot);
    return [...errors, ...others.map(([, error]) => error), ...stillFailed.values()];
  }

  /** @returns Errors by the listeners that could not listen. */
  async #start(
    wanted: ReadonlyMap<string, Listener>,
    snapshot: ProxySnapshot,
  ): Promise<ReadonlyMap<readonly [string, Listener], unknown>> {
    const failed = new Map<readonly [string, Listener], unknown>();
    const started = [...wanted].map(async (entry) => {
      const [key, listener] = entry;
      try {
        const running = this.#servers.get(key);
        if (running !== undefined) return running.rebind({ listener, snapshot });
        const server = new ListenerServer({ listener, snapshot }, this.#services);
        await server.start();
        this.#servers.set(key, server);
      } catch (error) {
        failed.set(entry, error);
      }
    });
    await Promise.all(started);
    return failed;
  }

  addresses(): readonly ListenerAddress[] {
    return [...this.#servers.values()].map((server) => ({
      name: server.binding.listener.name,
      scheme: schemeOf(server.binding.listener),
      ...server.address,
    }));
  }

  /** Number of listeners that drain. */
  get drainingCount(): number {
    return this.#leaving.size;
  }

  /** Drains all listeners. Listeners that were draining already get no more than this deadline. */
  async drain(deadlineMs: number): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.acceptWaiting(deadlineMs)));
    for (const server of this.#leaving.keys()) void server.drain(deadlineMs);
    for (const server of this.#servers.values()) this.#leave(server, deadlineMs);
    this.#servers.clear();
    await Promise.all(this.#leaving.values());
  }

  #holdCredentials(snapshot: ProxySnapshot): readonly HeldCredential[] {
    const { credentials } = this.#services.tls;
    return snapshot.resources.listeners.resources.flatMap(({ tlsServers = [] }) =>
      tlsServers.map(({ credential }) => credentials.hold(credential)),
    );
  }

  #leave(server: ListenerServer, deadlineMs: number): void {
    // The configuration that had the listener still handles its last requests.
    const { snapshot } = server.binding;
    snapshot.hold();
    const leaving = server.drain(deadlineMs).finally(() => {
      snapshot.release();
      this.#leaving.delete(server);
    });
    this.#leaving.set(server, leaving);
  }
}

/** The listeners by their addresses. Of two with the same address the first has it, and the other is an error. */
function distinctAddresses(listeners: readonly Listener[]): {
  readonly wanted: ReadonlyMap<string, Listener>;
  readonly errors: readonly PurserError[];
} {
  const wanted = new Map<string, Listener>();
  const errors: PurserError[] = [];
  for (const listener of listeners) {
    const { name, host, port, origin } = listener;
    const first = wanted.get(keyOf(listener));
    if (first === undefined) wanted.set(keyOf(listener), listener);
    else
      errors.push(
        new PurserError(
          "PURSER_PORT_TAKEN",
          `${host}:${port} of the listener ${name} is taken by the listener ${first.name}`,
          { details: { host, port, origin } satisfies ListenDetails },
        ),
      );
  }
  return { wanted, errors };
}

function schemeOf({ tlsServers, tcp }: Listener): ListenerAddress["scheme"] {
  if (tlsServers?.some(({ protocol }) => protocol !== "tcp") === true) return "https";
  if (tcp?.plainTable !== undefined) return "tcp";
  return tlsServers === undefined && tcp === undefined ? "http" : "tls";
}

/** Identity of a listener's socket. Port 0 is a different port for each listener that asks for it. */
function keyOf({ name, host, port }: Listener): string {
  return port === 0 ? `${host}:0 ${name}` : `${host}:${port}`;
}
