// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Registry } from "prom-client";

import type { PilotService, ProxyNode } from "../api/pilot-service.ts";
import { PurserError } from "../kernel/errors.ts";
import { TimerWheel } from "../kernel/timer-wheel.ts";
import type { Files } from "../core/hooks/extension.ts";
import type { Clock, Logger, Random, Scheduler } from "../kernel/ports.ts";
import type { CompileExpression } from "../core/expressions/expression.ts";
import type { Listener, ListenerLimits } from "../core/traffic/resources/listener.ts";
import { NOTHING_KNOWN, type TrafficResources } from "../core/traffic/resources/resource-set.ts";
import type { ControlSurface, SurfaceAddress } from "../server/http/control-surface.ts";
import { startAdminServer } from "./admin/admin-server.ts";
import { type ClusterRow, clusterRows } from "./admin/cluster-rows.ts";
import { Authenticators } from "./authentication/authenticators.ts";
import { createJwksClient, type JwksClient } from "./authentication/jwks/fetch-jwks.ts";
import type { FetchResult } from "./authentication/jwks/jwks-source.ts";
import { uuidSource } from "./exchange/random-uuid.ts";
import { ProxyStats } from "./exchange/stats.ts";
import { type ClusterSet, NO_CLUSTERS } from "./upstream/cluster-manager.ts";
import { Exchange } from "./exchange/exchange.ts";
import { filterChain } from "./filters/chain.ts";
import type { ServerStream } from "./transport/contract/server.ts";
import type { HandshakeResult, TlsServices } from "./transport/contract/tls.ts";
import type { Transport } from "./transport/contract/transport.ts";
import { HTTP_TRANSPORT } from "./transport/http-transport.ts";
import { CredentialStore } from "./transport/tls/credentials/credential-store.ts";
import type { WorkloadCredential } from "./transport/tls/credentials/workload-credential.ts";
import { MeshTls } from "./transport/tls/peers/mesh-tls.ts";
import { addMeshMetrics } from "./exchange/mesh-metrics.ts";
import { PeerRefusalLog } from "./listeners/peer-refusal-log.ts";
import { TicketKeys, type TicketSecret } from "./transport/tls/ticket-keys.ts";
import type { HeadersWithUnderscoresAction } from "./transport/fields/underscore-names.ts";
import { DEFAULT_UPGRADES } from "./transport/contract/default-upgrades.ts";
import type { ListenerBinding } from "./listeners/listener-server.ts";
import { type ListenerAddress, ListenerSet } from "./listeners/listener-set.ts";
import type { ExplainKey } from "./filters/explain-key.ts";
import type { PolicyClient } from "./policy/check-result.ts";
import { NodeAttributes } from "./filters/filter-attributes.ts";
import { LongStreams } from "./pipeline/long-streams.ts";
import { Mirroring } from "./pipeline/mirroring.ts";
import { type PipelineServices, runExchange } from "./pipeline/exchange-run.ts";
import { countedLookup } from "./names/counted-lookup.ts";
import { createDnsLookup } from "./names/dns-lookup.ts";
import { lookingUpNames } from "./names/looking-up-names.ts";
import type { NameLookup } from "./names/name-lookup.ts";
import { SnapshotBuilder } from "./snapshot/snapshot-builder.ts";
import type { TcpServices } from "./tcp/tcp-services.ts";
import { forwardTcp } from "./tcp/tcp-session.ts";
import { UpdateApplier } from "./discovery/update-applier.ts";

export interface ProxyOptions {
  readonly node: ProxyNode;
  readonly pilot: PilotService;
  /** The caller closes it. Its `stats`, if any, are exported among the proxy's own. */
  readonly policy: PolicyClient & { stats?(): Readonly<Record<string, number>> };
  /** Compiles the priorities of Overload documents. */
  readonly compile: CompileExpression;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Address of the admin surface; absent for none. */
  readonly admin?: SurfaceAddress;
  /** Limits that apply in place of those of the listeners' resources; default none. */
  readonly limits?: Partial<ListenerLimits>;
  /** Accepted upgrade protocols; default `websocket`, as in Istio. */
  readonly upgradeProtocols?: readonly string[];
  /** Treatment of header names with an underscore, at every listener; default REJECT_REQUEST. */
  readonly headersWithUnderscoresAction?: HeadersWithUnderscoresAction;
  /**
   * The proxy's name in the field `via`, which it then adds to requests and responses, and by which it detects
   * loops (508). No other proxy may have the same name. Default: the field is left alone, as in Envoy.
   */
  readonly via?: string | undefined;
  /** The key with which requests may ask for an explanation of their decision; default: no request may. */
  readonly explainKey?: ExplainKey;
  /**
   * Maximum time that a removed listener may take to finish its requests, in milliseconds; default 5000, as
   * in Istio (terminationDrainDuration).
   */
  readonly drainMs?: number;
  /** How long `start` waits for the first configuration, in milliseconds; default 60 000. */
  readonly startTimeoutMs?: number;
  /** Carries requests and responses; default HTTP/1.1 and HTTP/2. */
  readonly transport?: Transport;
  /** Looks up the names of endpoints; default the hosts file and the system's DNS servers. */
  readonly lookUp?: NameLookup;
  /** Reads and watches the files of certificates; default: none can be read. */
  readonly files?: Files;
  /** The folder with a folder for each `credentialName`; default: none. */
  readonly credentialsFolder?: string | undefined;
  /** The operating system's file of authorities, for upstreams; default: the authorities that Node.js brings. */
  readonly systemAuthorities?: string | undefined;
  /** Secret of the keys of TLS session tickets, which the workers of a pool share; default: a random one. */
  readonly ticketSecret?: TicketSecret | undefined;
  /** The workload's own certificate, for mutual TLS with other proxies; default: none. The caller closes it. */
  readonly workload?: WorkloadCredential | undefined;
  /** Fetches the keys of issuers of tokens; default over HTTP. The proxy closes it. */
  readonly jwksClient?: JwksClient;
  /** Default: random UUIDs. */
  readonly newId?: () => string;
}

export interface Proxy {
  /**
   * Resolves when the first configuration is in force and all its listeners listen.
   *
   * @throws {PurserError} PURSER_PORT_TAKEN, PURSER_PORT_FORBIDDEN, or PURSER_PILOT_UNAVAILABLE when no
   * configuration comes in time.
   */
  start(): Promise<void>;
  addresses(): {
    readonly listeners: readonly ListenerAddress[];
    readonly admin: Omit<ListenerAddress, "scheme"> | undefined;
  };
  /** Undefined when requests can be served and decided; otherwise the reason why not. */
  unreadiness(): string | undefined;
  /** The counters, for an admin surface elsewhere. */
  readonly registry: Registry;
  /** The resources in force; undefined before the first configuration. */
  resources(): TrafficResources | undefined;
  /** The counts of the newest clusters. */
  clusters(): readonly ClusterRow[];
  /** Accepts no new connections and lets requests under way finish, for `deadlineMs` at most. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends everything at once and cuts what is under way. Idempotent. */
  close(): Promise<void>;
}

/** Creates a proxy that does not listen yet. */
export function createProxy(options: ProxyOptions): Proxy {
  return new ProxyRuntime(options);
}

/** Istio's terminationDrainDuration; Envoy itself drains for 600 s. */
const DEFAULT_DRAIN_MS = 5_000;

/** The files of a proxy whose host supplies none. */
const NO_FILES: Files = {
  watch(path, _listener, onError) {
    onError(new Error(`${path} cannot be read: the host gave the proxy no files`));
    return () => {};
  },
};

/** Interval of the log lines that say that the first configuration is still awaited. */
const WAITING_LOG_MS = 5_000;

class ProxyRuntime implements Proxy {
  readonly #options: ProxyOptions;
  readonly #credentials: CredentialStore;
  readonly #tls: TlsServices;
  readonly #refusals = new PeerRefusalLog();
  readonly #snapshots: SnapshotBuilder;
  readonly #stats: ProxyStats;
  readonly #pipeline: PipelineServices;
  readonly #jwksClient: JwksClient;
  readonly #authenticators: Authenticators;
  readonly #longStreams: LongStreams;
  readonly #listeners: ListenerSet;
  readonly #updates: UpdateApplier;
  #admin: ControlSurface | undefined;
  #stopWatching: (() => void) | undefined;
  #ending = false;
  #onFirstApplied: ((errors: readonly unknown[]) => void) | undefined;

  constructor(options: ProxyOptions) {
    this.#options = options;
    const {
      node,
      policy,
      clock,
      random,
      scheduler,
      logger,
      newId = uuidSource(),
      explainKey,
      compile,
      workload,
    } = options;
    const { transport = HTTP_TRANSPORT, upgradeProtocols = DEFAULT_UPGRADES } = options;
    const onRead = (isGood: boolean): void => this.#stats.tls.countCredentialRead(isGood);
    this.#credentials = credentialStoreOf(options, onRead);
    this.#tls = tlsServicesOf(options, this.#credentials);
    this.#jwksClient = options.jwksClient ?? createJwksClient();
    const { fetch } = this.#jwksClient;
    const onFetched = (url: string, result: FetchResult): void =>
      this.#stats.authentication.countFetch(url, result);
    this.#authenticators = new Authenticators({ clock, random, scheduler, logger, fetch, onFetched });
    const runtime = { clock, random, scheduler, logger, compile, mesh: this.#tls.mesh };
    this.#snapshots = new SnapshotBuilder(transport, this.#credentials, runtime, this.#authenticators);
    this.#stats = new ProxyStats(
      () => this.#newestClusters(),
      () => policy.stats?.() ?? {},
      () => this.#listeners.drainingCount,
      () => this.#credentials.expiries(),
      () => this.unreadiness() === undefined,
      () => this.#longStreams,
    );
    this.#stats.authentication.ages = () => this.#authenticators.sources.ages();
    const services = { node, policy, stats: this.#stats, clock, random, scheduler, newId, workload };
    const { headersWithUnderscoresAction, via } = options;
    const filters = filterChain({
      ...services,
      via,
      countAuthentication: (listener, result) => this.#stats.authentication.countToken(listener, result),
      ...(explainKey === undefined ? {} : { explainKey }),
      ...(headersWithUnderscoresAction === undefined ? {} : { headersWithUnderscoresAction }),
    });
    const timers = new TimerWheel(clock, scheduler);
    this.#longStreams = new LongStreams(policy, { clock, random, scheduler, logger });
    const mirroring = new Mirroring(timers, random, (cluster, result) =>
      this.#stats.countMirrored(cluster, result),
    );
    this.#pipeline = {
      filters,
      clock,
      random,
      timers,
      mirroring,
      logger,
      longStreams: this.#longStreams,
    };
    const tcp = this.#tcpServices(timers);
    this.#listeners = new ListenerSet({
      transport,
      limits: options.limits ?? {},
      upgradeProtocols,
      scheduler,
      newId,
      tls: this.#tls,
      onStream: (binding, stream) => this.#onStream(binding, stream),
      onRaw: (binding, connection) => forwardTcp(binding, connection, tcp),
      onRefused: (listener, kind) => this.#stats.countRefused(listener.name, kind),
      onConnectionEvent: (listener, event) => this.#stats.countConnectionEvent(listener.name, event),
      onHandshake: (listener, result) => this.#onHandshake(listener, result),
    });
    this.#updates = new UpdateApplier({
      snapshots: this.#snapshots,
      listeners: this.#listeners,
      stats: this.#stats,
      logger,
      drainMs: options.drainMs ?? DEFAULT_DRAIN_MS,
      onApplied: (errors) => this.#onFirstApplied?.(errors),
    });
  }

  async start(): Promise<void> {
    const { node, pilot, lookUp = createDnsLookup() } = this.#options;
    const { mesh } = this.#tls;
    if (mesh !== undefined) addMeshMetrics(this.registry, mesh);
    // The admin surface starts first: it shows why the proxy is not ready.
    await this.#startAdmin();
    const firstApplied = this.#waitForFirst();
    const counted = countedLookup(lookUp, this.#options.clock, (...done) => this.#stats.dns.count(...done));
    this.#stopWatching = lookingUpNames(pilot, counted, this.#options).watch(
      { node: mesh === undefined ? node : { ...node, mtls: true }, known: NOTHING_KNOWN },
      (update) => this.#updates.receive(update),
    );
    const errors = await firstApplied;
    if (errors.length > 0) {
      await this.close();
      throw errors[0];
    }
  }

  addresses() {
    const admin = this.#admin;
    return {
      listeners: this.#listeners.addresses(),
      admin: admin === undefined ? undefined : { name: "admin", host: admin.host, port: admin.port },
    };
  }

  unreadiness(): string | undefined {
    if (this.#ending) return "draining";
    if (this.#updates.snapshot === undefined) return "waiting for the configuration from pilot";
    const { mesh } = this.#tls;
    if (mesh !== undefined && mesh.credential.material === undefined)
      return "waiting for the workload's certificate";
    if (!this.#options.policy.ready) return "waiting for the policies from the mixer";
    return undefined;
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#ending = true;
    this.#updates.stop();
    this.#stopWatching?.();
    await this.#listeners.drain(deadlineMs);
  }

  async close(): Promise<void> {
    this.#longStreams.close();
    await this.drain(0);
    this.#authenticators.close();
    await Promise.all([this.#snapshots.destroy(), this.#admin?.close(0), this.#jwksClient.close()]);
    this.#credentials.close();
    this.#tls.mesh?.close();
  }

  get registry(): Registry {
    return this.#stats.registry;
  }

  resources(): TrafficResources | undefined {
    return this.#updates.snapshot?.resources;
  }

  clusters(): readonly ClusterRow[] {
    return clusterRows(this.#newestClusters());
  }

  async #startAdmin(): Promise<void> {
    const { admin, drainMs = DEFAULT_DRAIN_MS } = this.#options;
    if (admin === undefined) return;
    const subject = {
      metrics: () => this.registry.metrics(),
      unreadiness: () => this.unreadiness(),
      resources: () => this.resources(),
      clusters: () => this.clusters(),
      drain: () => void this.drain(drainMs),
    };
    this.#admin = await startAdminServer(subject, admin, this.#options);
  }

  #tcpServices(timers: TimerWheel): TcpServices {
    const { node, policy, clock, random, logger } = this.#options;
    return {
      node: new NodeAttributes(node),
      policy,
      counts: this.#stats.tcp,
      longStreams: this.#longStreams,
      timers,
      clock,
      random,
      logger,
    };
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

  #onHandshake(listener: Listener, result: HandshakeResult): void {
    this.#stats.tls.countHandshake(listener.name, result);
    this.#refusals.onHandshake(listener, result, this.#options);
  }

  #newestClusters(): ClusterSet {
    return this.#updates.snapshot ?? NO_CLUSTERS;
  }

  #onStream(binding: ListenerBinding, stream: ServerStream): void {
    const { clock } = this.#options;
    const exchange = new Exchange(binding, stream, clock.nowMs(), clock.monotonicMs());
    runExchange(exchange, stream, this.#pipeline);
  }
}

function tlsServicesOf(
  { clock, ticketSecret, workload }: ProxyOptions,
  credentials: CredentialStore,
): TlsServices {
  const mesh = workload === undefined ? undefined : new MeshTls(workload, clock);
  return { credentials, tickets: new TicketKeys(clock, ticketSecret), mesh };
}

function credentialStoreOf(options: ProxyOptions, onRead: (isGood: boolean) => void): CredentialStore {
  const {
    files = NO_FILES,
    credentialsFolder: folder,
    systemAuthorities,
    clock,
    scheduler,
    logger,
  } = options;
  return new CredentialStore({ files, folder, systemAuthorities, clock, scheduler, logger, onRead });
}
