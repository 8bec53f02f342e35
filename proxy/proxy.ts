// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";

import type { PilotService, ProxyNode } from "../api/pilot-service.ts";
import { messageOf, PurserError } from "../kernel/errors.ts";
import type { Clock, Logger, Random, Scheduler } from "../kernel/ports.ts";
import {
  isComplete,
  knownAfter,
  NOTHING_KNOWN,
  type TrafficResources,
  type TrafficUpdate,
} from "../core/traffic/resources/resource-set.ts";
import { type AdminAddress, AdminServer } from "./admin/admin-server.ts";
import { ProxyStats } from "./admin/stats.ts";
import { type ClusterSet, NO_CLUSTERS } from "./upstream/cluster-manager.ts";
import { Exchange } from "./pipeline/exchange.ts";
import { filterChain } from "./filters/chain.ts";
import type { Filter } from "./filters/filter.ts";
import type { ServerLimits, ServerStream } from "./transport/contract/server.ts";
import type { Transport } from "./transport/contract/transport.ts";
import { NODE_TRANSPORT } from "./transport/node-transport.ts";
import type { HeadersWithUnderscoresAction } from "./transport/fields/underscore-names.ts";
import { DEFAULT_LIMITS, DEFAULT_UPGRADES, type ListenerBinding } from "./listeners/listener-server.ts";
import { type ListenerAddress, ListenerSet } from "./listeners/listener-set.ts";
import type { ExplainKey } from "./filters/explain-key.ts";
import type { PolicyClient } from "./policy/verdict.ts";
import { runExchange } from "./pipeline/exchange-run.ts";
import type { ProxySnapshot } from "./snapshot.ts";
import { SnapshotBuilder } from "./snapshot-builder.ts";

export interface ProxyOptions {
  readonly node: ProxyNode;
  readonly pilot: PilotService;
  /** Closing it stays with whoever made it. Its `stats`, if any, are shown among the proxy's own. */
  readonly policy: PolicyClient & { stats?(): Readonly<Record<string, number>> };
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Where the admin surface listens; absent for none. */
  readonly admin?: AdminAddress;
  readonly limits?: Partial<ServerLimits>;
  /** Protocols that requests may upgrade to; default `websocket`, as in Istio. */
  readonly upgradeProtocols?: readonly string[];
  /** What every listener does with header names that have an underscore; default REJECT_REQUEST. */
  readonly headersWithUnderscoresAction?: HeadersWithUnderscoresAction;
  /** With it requests may ask why they are decided as they are; default: none may. */
  readonly explainKey?: ExplainKey;
  /** How long a listener that a new configuration removes may take to finish its requests; default 5 s, as Envoy. */
  readonly drainMs?: number;
  /** How long `start` waits for the first configuration; default 60 s. */
  readonly startTimeoutMs?: number;
  /** What carries requests and responses; default HTTP/1.1 by node:http and undici. */
  readonly transport?: Transport;
  /** Default: random UUIDs. */
  readonly newId?: () => string;
}

export interface Proxy {
  /**
   * Resolves when the first configuration is in force and every listener of it listens. Rejects with PURSER_PORT_TAKEN,
   * PURSER_PORT_FORBIDDEN, or PURSER_PILOT_UNAVAILABLE when no configuration comes in time.
   */
  start(): Promise<void>;
  addresses(): {
    readonly listeners: readonly ListenerAddress[];
    readonly admin: ListenerAddress | undefined;
  };
  /** Undefined when requests can be served and decided; otherwise what is missing. */
  unreadiness(): string | undefined;
  /** Takes nothing new and lets requests under way finish, for `deadlineMs` at most. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends everything at once; what is under way is cut. Safe to call twice. */
  close(): Promise<void>;
}

/** A proxy that is not yet listening. */
export function createProxy(options: ProxyOptions): Proxy {
  return new ProxyRuntime(options);
}

/** How often the log says that the first configuration is still awaited. */
const WAITING_LOG_MS = 5_000;

class ProxyRuntime implements Proxy {
  readonly #options: ProxyOptions;
  readonly #snapshots: SnapshotBuilder;
  readonly #stats: ProxyStats;
  readonly #filters: readonly Filter[];
  readonly #listeners: ListenerSet;
  readonly #admin: AdminServer | undefined;
  #adminPort: number | undefined;
  #snapshot: ProxySnapshot | undefined;
  #stopWatching: (() => void) | undefined;
  /** What pilot has sent: the newest set of each type. */
  #received: TrafficUpdate = {};
  /** The newest state that waits while another is being applied; older ones are passed over. */
  #next: TrafficResources | undefined;
  #applying = false;
  #ending = false;
  #onFirstApplied: ((errors: readonly unknown[]) => void) | undefined;

  constructor(options: ProxyOptions) {
    this.#options = options;
    const { node, policy, clock, random, scheduler, logger, newId = randomUUID, explainKey } = options;
    const { transport = NODE_TRANSPORT, upgradeProtocols = DEFAULT_UPGRADES } = options;
    this.#snapshots = new SnapshotBuilder(transport, random, logger);
    this.#stats = new ProxyStats(
      () => this.#newestClusters(),
      () => policy.stats?.() ?? {},
    );
    const services = { node, policy, stats: this.#stats, clock, random, scheduler, newId };
    const { headersWithUnderscoresAction } = options;
    this.#filters = filterChain({
      ...services,
      ...(explainKey === undefined ? {} : { explainKey }),
      ...(headersWithUnderscoresAction === undefined ? {} : { headersWithUnderscoresAction }),
    });
    this.#listeners = new ListenerSet({
      transport,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      upgradeProtocols,
      scheduler,
      newId,
      onStream: (binding, stream) => this.#onStream(binding, stream),
      onRefused: (listener, kind) => this.#stats.countRefused(listener.name, kind),
    });
    this.#admin =
      options.admin === undefined
        ? undefined
        : new AdminServer(
            {
              stats: this.#stats,
              logger,
              unreadiness: () => this.unreadiness(),
              resources: () => this.#snapshot?.resources,
              clusters: () => this.#newestClusters(),
              drain: () => void this.drain(options.drainMs ?? 5_000),
            },
            options.admin,
          );
  }

  async start(): Promise<void> {
    const { pilot, node } = this.#options;
    // The admin surface comes first: it tells why the rest is not ready.
    this.#adminPort = await this.#admin?.start();
    const firstApplied = this.#waitForFirst();
    this.#stopWatching = pilot.watch({ node, known: NOTHING_KNOWN }, (update) => this.#receive(update));
    const errors = await firstApplied;
    if (errors.length > 0) {
      await this.close();
      throw errors[0];
    }
  }

  addresses() {
    const { admin } = this.#options;
    return {
      listeners: this.#listeners.addresses(),
      admin:
        admin === undefined || this.#adminPort === undefined
          ? undefined
          : { name: "admin", host: admin.host, port: this.#adminPort },
    };
  }

  unreadiness(): string | undefined {
    if (this.#ending) return "draining";
    if (this.#snapshot === undefined) return "waiting for the configuration from pilot";
    if (!this.#options.policy.ready) return "waiting for the policies from the mixer";
    return undefined;
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#ending = true;
    this.#stopWatching?.();
    await this.#listeners.drain(deadlineMs);
  }

  async close(): Promise<void> {
    await this.drain(0);
    await Promise.all([this.#snapshots.destroy(), this.#admin?.close()]);
  }

  #waitForFirst(): Promise<readonly unknown[]> {
    const { scheduler, logger, startTimeoutMs = 60_000 } = this.#options;
    return new Promise((resolve) => {
      const cancelLog = scheduler.every(WAITING_LOG_MS, () =>
        logger.info("waiting for the configuration from pilot"),
      );
      const finish = (errors: readonly unknown[]): void => {
        this.#onFirstApplied = undefined;
        cancelLog();
        cancelDeadline();
        resolve(errors);
      };
      const cancelDeadline = scheduler.after(startTimeoutMs, () => {
        finish([
          new PurserError(
            "PURSER_PILOT_UNAVAILABLE",
            `no configuration from pilot within ${startTimeoutMs} ms`,
          ),
        ]);
      });
      this.#onFirstApplied = finish;
    });
  }

  /** Types may come in any order and on their own; nothing is applied before each has come once. */
  #receive(update: TrafficUpdate): void {
    if (this.#ending) return;
    this.#received = { ...this.#received, ...update };
    if (!isComplete(this.#received)) return;
    this.#next = this.#received;
    if (!this.#applying) void this.#applyAll();
  }

  async #applyAll(): Promise<void> {
    this.#applying = true;
    while (this.#next !== undefined && !this.#ending) {
      const resources = this.#next;
      this.#next = undefined;
      const errors = await this.#apply(resources);
      this.#onFirstApplied?.(errors);
    }
    this.#applying = false;
  }

  /**
   * Build, swap, drain: clusters and endpoints are there before a listener or a route leads to them, and what is gone is drained
   * last. What cannot be built changes nothing; it is tried again, as a whole, with the next update of any type.
   */
  async #apply(resources: TrafficResources): Promise<readonly unknown[]> {
    const { logger, drainMs = 5_000 } = this.#options;
    let snapshot: ProxySnapshot;
    try {
      snapshot = this.#snapshots.build(resources);
    } catch (error) {
      this.#stats.countUpdate("rejected");
      logger.error("the configuration from pilot cannot be used", {
        versions: knownAfter(NOTHING_KNOWN, resources),
        error: messageOf(error),
      });
      return [error];
    }
    const old = this.#snapshot;
    this.#snapshot = snapshot;
    const errors = await this.#listeners.update(snapshot, drainMs);
    old?.release();
    this.#stats.countUpdate("accepted");
    // At the start it is `start` that tells, by rejecting.
    if (old !== undefined) {
      for (const error of errors) logger.error("a listener cannot listen", { error: messageOf(error) });
    }
    logger.info("configuration in force", {
      versions: knownAfter(NOTHING_KNOWN, resources),
      listeners: this.#listeners.addresses().length,
    });
    return errors;
  }

  #newestClusters(): ClusterSet {
    return this.#snapshot ?? NO_CLUSTERS;
  }

  #onStream(binding: ListenerBinding, stream: ServerStream): void {
    const { clock } = this.#options;
    const exchange = new Exchange({
      ...binding,
      connection: stream.connection,
      head: stream.head,
      startMs: clock.nowMs(),
      startMonotonicMs: clock.monotonicMs(),
    });
    runExchange(exchange, stream, { ...this.#options, filters: this.#filters });
  }
}
