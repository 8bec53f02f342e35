// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Listener } from "../../core/traffic/resources/listener.ts";
import { listenError } from "../../kernel/listen-error.ts";
import type { Scheduler } from "../../kernel/ports.ts";
import { type ErrorKind, errorReply, renderLocalReply } from "../exchange/local-reply.ts";
import type { ProxySnapshot } from "../snapshot/snapshot.ts";
import type {
  RefusalReason,
  ServerHandler,
  ServerLimits,
  ServerStream,
  TransportServer,
  WholeResponse,
} from "../transport/contract/server.ts";
import type { Transport } from "../transport/contract/transport.ts";

export const DEFAULT_LIMITS: ServerLimits = {
  maxConnections: 10_000,
  maxHeaderBytes: 60 * 1024,
  headersTimeoutMs: 10_000,
  connectionIdleMs: 3_600_000,
  streamIdleMs: 300_000,
};

/** Istio's proxies take WebSocket and nothing else. */
export const DEFAULT_UPGRADES: readonly string[] = ["websocket"];

/** The configuration that handles a listener's requests. */
export interface ListenerBinding {
  readonly listener: Listener;
  readonly snapshot: ProxySnapshot;
}

export interface ListenerServices {
  readonly transport: Transport;
  readonly limits: ServerLimits;
  /** In lower case. */
  readonly upgradeProtocols: readonly string[];
  readonly scheduler: Scheduler;
  readonly newId: () => string;
  /** Takes each request; must set `stream.events`. */
  onStream(binding: ListenerBinding, stream: ServerStream): void;
  /** Counts bytes that were refused before they were a request. */
  onRefused(listener: Listener, kind: ErrorKind, detail: string): void;
}

/** One listening address, and the configuration that its requests are handled by. */
export class ListenerServer implements ServerHandler {
  readonly #server: TransportServer;
  readonly #services: ListenerServices;
  #binding: ListenerBinding;
  /** Resolves when the drain is over. */
  #closed: Promise<void> | undefined;
  #nextConnection = 0;

  constructor(binding: ListenerBinding, services: ListenerServices) {
    this.#binding = binding;
    this.#services = services;
    const { transport, limits, upgradeProtocols, scheduler } = services;
    const newConnectionId = (): string => `${this.#binding.listener.name}-${this.#nextConnection++}`;
    this.#server = transport.createServer({ limits, upgradeProtocols, scheduler, newConnectionId }, this);
  }

  get binding(): ListenerBinding {
    return this.#binding;
  }

  /** The port that it really has, when the listener asked for port 0. */
  get address(): { readonly host: string; readonly port: number } {
    const { host, port } = this.#binding.listener;
    return { host, port: this.#server.port ?? port };
  }

  /** Rejects with PURSER_PORT_TAKEN or PURSER_PORT_FORBIDDEN. */
  async start(): Promise<void> {
    const { host, port } = this.#binding.listener;
    try {
      await this.#server.listen(host, port);
    } catch (error) {
      throw error instanceof Error ? listenError(error, host, port) : error;
    }
  }

  /** Same address, other configuration: requests that come from now on see it. */
  rebind(binding: ListenerBinding): void {
    this.#binding = binding;
  }

  /**
   * Takes nothing new, lets requests under way and upgraded connections finish for `deadlineMs` at most, then cuts the others.
   * When it resolves, every exchange is over and reported. A later call can bring the deadline forward.
   */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#closed === undefined && this.#server.port === undefined) return;
    this.#closed ??= this.#server.close();
    const cancel = this.#services.scheduler.after(deadlineMs, () => this.#server.cut());
    await this.#closed;
    cancel();
  }

  onStream(stream: ServerStream): void {
    this.#services.onStream(this.#binding, stream);
  }

  onRefused(reason: RefusalReason, detail: string): WholeResponse {
    this.#services.onRefused(this.#binding.listener, reason, detail);
    const reply = errorReply(reason, detail);
    const { headers, body } = renderLocalReply(reply, this.#services.newId());
    return { status: reply.status, headers, body };
  }
}
