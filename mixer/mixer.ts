// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MixerService } from "../api/mixer-service.ts";
import type { HandlerStatus, MixerStatus } from "../api/mixer-status.ts";
import { DEFAULT_RATE_LIMIT_SETTINGS, type RateLimitSettings } from "../kernel/rate-limit-settings.ts";
import { DEFAULT_PATH_NORMALIZATION, type PathNormalization } from "../kernel/canonical/path.ts";
import type { Checked, Diagnostic } from "../kernel/diagnostic.ts";
import { PurserError } from "../kernel/errors.ts";
import { attempt, chain, type MaybePromise } from "../kernel/maybe-promise.ts";
import type { ExpositionFormat } from "../core/exposition/formats.ts";
import { createMemoryQuotaStore } from "../core/quota/memory-store.ts";
import { Adjustments } from "../core/quota/adjustments.ts";
import type { QuotaStore } from "../core/quota/quota.ts";
import { TopKeys } from "../core/quota/top-keys.ts";
import type { Snapshot } from "../core/snapshot/snapshot.ts";
import { answerAllocate } from "./runtime/calls/allocate-call.ts";
import { answerCheck, type CallTools } from "./runtime/calls/check-call.ts";
import { takeReport } from "./runtime/calls/report-call.ts";
import { TakenReports } from "./runtime/calls/taken-reports.ts";
import { createDecisionObserver } from "./runtime/decision-observer.ts";
import type { ActiveSnapshot } from "./runtime/active-snapshot.ts";
import { ActiveSnapshots } from "./runtime/active-snapshots.ts";
import { createCheckDispatch } from "./runtime/handlers/check-dispatch.ts";
import {
  buildHandlerTable,
  EMPTY_TABLE,
  type HandlerTable,
  deliveriesOf,
} from "./runtime/handlers/handler-table.ts";
import type { HandlerHost } from "./runtime/handlers/host.ts";
import { ExpositionCollector, type ExpositionPage } from "./runtime/metrics/exposition.ts";
import { MixerMetrics } from "./runtime/metrics/mixer-metrics.ts";
import { PolicyWatchers } from "./runtime/policy-watchers.ts";
import { createStoreFailureLog } from "./runtime/quota/store-failure-log.ts";
import { AdjustmentRefresh } from "./runtime/quota/adjustment-refresh.ts";
import { QuotaOperations } from "./runtime/quota/quota-operations.ts";
import { createFindStore, sharedAdjustmentsOf } from "./runtime/quota/quota-stores.ts";
import { handlerStatuses, statusOf } from "./runtime/status.ts";

export interface MixerOptions extends Omit<HandlerHost, "metrics"> {
  /** Counts quotas whose policy names no store; default: this process's memory. */
  readonly defaultStore?: QuotaStore;
  /**
   * Number of mixers that serve the same proxies; default 1. Each mixer sees only its own proxies and assumes
   * as many at each other mixer.
   */
  readonly nodeCount?: number;
  /** Maximum number of remote proxies of one address that count for the shares of limits; default 16. */
  readonly proxiesPerAddress?: number;
}

/**
 * The mixer's runtime: documents in, decisions and telemetry out. It does not listen; mixer/servers/ does.
 */
export interface Mixer extends MixerService {
  /**
   * Puts a snapshot in force: build, swap, drain. When a handler cannot be built nothing changes, and the
   * diagnostics say why. Requests under way keep the snapshot they began with.
   *
   * @throws {PurserError} PURSER_DRAINING after `close`.
   */
  apply(snapshot: Snapshot): Promise<Checked<AppliedSnapshot>>;
  /** Records that a newer configuration was refused before it became a snapshot; for status and metrics. */
  reject(diagnostics: readonly Diagnostic[]): void;
  /** Path normalization of the active snapshot; the default before there is one. */
  readonly pathNormalization: PathNormalization;
  /** The active snapshot's settings for headers about quotas; the default when it has none. */
  readonly rateLimitHeaders: RateLimitSettings;
  /** Whether there is an active snapshot. */
  readonly ready: boolean;
  /** Version of the active snapshot; undefined before there is one. */
  readonly version: string | undefined;
  /** The refusal of the newest configuration, while an older one stays active. */
  readonly rejection: MixerStatus["rejection"];
  status(): Promise<MixerStatus>;
  /** The quotas for operators. */
  readonly quotas: QuotaOperations;
  /** The handlers in force. */
  handlers(): Promise<readonly HandlerStatus[]>;
  /**
   * A page for Prometheus: the mixer's own metrics, then each handler's. When several sources have a series, the
   * first one's is shown. The page is written while it is read, and reads the series' values then.
   */
  exposition(format: ExpositionFormat): Promise<ExpositionPage>;
  /**
   * Waits for calls under way, delivers queued telemetry and closes the handlers, within the deadline.
   * Idempotent.
   */
  close(deadlineMs: number): Promise<void>;
}

interface AppliedSnapshot {
  readonly version: string;
  /** Names of the handlers that were built, and of those reused from the previous snapshot. */
  readonly built: readonly string[];
  readonly reused: readonly string[];
}

export function createMixer(options: MixerOptions): Mixer {
  return new MixerRuntime(options);
}

class MixerRuntime implements Mixer {
  readonly #host: HandlerHost;
  readonly #tools: CallTools;
  readonly #defaultStore: QuotaStore;
  readonly #exposition: ExpositionCollector;
  readonly #snapshots: ActiveSnapshots;
  readonly #watchers: PolicyWatchers;
  readonly #reports = new TakenReports();
  readonly #topKeys: TopKeys;
  readonly #refresh: AdjustmentRefresh;
  readonly quotas: QuotaOperations;
  #appliedAtMs: number | undefined;
  #rejection: MixerStatus["rejection"];
  #closed: Promise<void> | undefined;

  constructor({ defaultStore, nodeCount = 1, proxiesPerAddress, ...runtime }: MixerOptions) {
    const { clock, scheduler, logger } = runtime;
    const metrics = new MixerMetrics(clock, () => deliveriesOf(this.#table));
    const localStore = createMemoryQuotaStore({ clock });
    this.#host = { ...runtime, metrics };
    this.#exposition = new ExpositionCollector(metrics, clock, logger);
    const builtInStore = createMemoryQuotaStore({ clock });
    metrics.watchCounts({ "built-in": builtInStore, local: localStore });
    this.#defaultStore = defaultStore ?? builtInStore;
    this.#snapshots = new ActiveSnapshots({ clock, scheduler, logger });
    this.#watchers = new PolicyWatchers({
      scheduler,
      logger,
      nodeCount,
      proxiesPerAddress,
      current: () => this.#stateOfPolicies(),
    });
    const adjustments = new Adjustments(clock);
    const refresh = new AdjustmentRefresh({ scheduler, logger, adjustments });
    const topKeys = new TopKeys(clock);
    this.#refresh = refresh;
    this.#topKeys = topKeys;
    this.quotas = new QuotaOperations({
      clock,
      logger,
      adjustments,
      refresh,
      topKeys,
      during: (work) => this.#during(undefined, work),
    });
    this.#tools = {
      adjustments,
      topKeys,
      clock,
      metrics,
      logger,
      charging: { localStore, nodes: nodeCount, observer: createStoreFailureLog(logger) },
    };
  }

  get ready(): boolean {
    return this.#snapshots.current !== undefined && this.#closed === undefined;
  }

  get version(): string | undefined {
    return this.#snapshots.current?.snapshot.version;
  }

  get pathNormalization(): PathNormalization {
    return this.#snapshots.current?.snapshot.traffic.pathNormalization ?? DEFAULT_PATH_NORMALIZATION;
  }

  get rateLimitHeaders(): RateLimitSettings {
    return this.#snapshots.current?.snapshot.traffic.rateLimitHeaders ?? DEFAULT_RATE_LIMIT_SETTINGS;
  }

  get rejection(): MixerStatus["rejection"] {
    return this.#rejection;
  }

  check: MixerService["check"] = (request, options) =>
    this.#during(options, (active) => answerCheck(active, request, this.#tools));

  allocate: MixerService["allocate"] = (request, options) =>
    this.#during(options, (active) => answerAllocate(active, request, this.#tools));

  report: MixerService["report"] = (request) =>
    this.#reports.once(
      request.deduplicationId,
      // A report that is here is taken, whoever still waits for it; and the caller's signal, made when it is looked at, costs 30 µs.
      () => this.#during(undefined, (active) => takeReport(active, request, this.#tools)),
      () => this.#host.metrics.repeated(),
    );

  watch: MixerService["watch"] = (node, listener) => this.#watchers.add(node, listener);

  // `apply` awaits nothing: no other call can run between reading and replacing the active snapshot.
  async apply(snapshot: Snapshot): Promise<Checked<AppliedSnapshot>> {
    const { metrics, clock, logger } = this.#host;
    if (this.#closed !== undefined) throw new PurserError("PURSER_DRAINING", "the mixer is shutting down");
    const outcome = buildHandlerTable(snapshot.handlers, this.#table, this.#host);
    if (!outcome.ok) {
      this.#snapshots.discard(outcome.built);
      this.reject(outcome.diagnostics);
      return { ok: false, diagnostics: outcome.diagnostics };
    }
    const { table, built, reused } = outcome;
    const dispatch = createCheckDispatch(table, snapshot.attributes, metrics);
    const findStore = createFindStore(table, this.#defaultStore);
    const observer = createDecisionObserver(this.#host);
    this.#snapshots.swap({ snapshot, table, dispatch, findStore, observer });
    this.#appliedAtMs = clock.nowMs();
    this.#rejection = undefined;
    this.#topKeys.keepOnly(new Set(snapshot.quotaPolicies.map(({ name }) => name)));
    this.#refresh.watch(sharedAdjustmentsOf(snapshot, findStore));
    const { version, documents } = snapshot;
    metrics.applied(
      version,
      documents.map(({ kind }) => kind),
      built.length,
      reused.length,
    );
    this.#watchers.announce();
    const names = { built: built.map(({ name }) => name), reused: reused.map(({ name }) => name) };
    logger.debug("a snapshot is in force", { version, ...names });
    return { ok: true, value: { version, ...names }, warnings: [] };
  }

  reject(diagnostics: readonly Diagnostic[]): void {
    this.#rejection = { atMs: this.#host.clock.nowMs(), diagnostics };
    this.#host.metrics.rejected();
  }

  status(): Promise<MixerStatus> {
    return statusOf({
      ready: this.ready,
      snapshot: this.#snapshots.current?.snapshot,
      appliedAtMs: this.#appliedAtMs,
      rejection: this.#rejection,
      table: this.#table,
      proxies: this.#watchers.proxies,
      scheduler: this.#host.scheduler,
    });
  }

  handlers(): Promise<readonly HandlerStatus[]> {
    return handlerStatuses(this.#table, this.#host.scheduler);
  }

  exposition(format: ExpositionFormat): Promise<ExpositionPage> {
    return this.#exposition.collect(this.#table, format);
  }

  close(deadlineMs: number): Promise<void> {
    if (this.#closed === undefined) {
      this.#watchers.close();
      this.#refresh.close();
      this.#closed = this.#snapshots.close(deadlineMs);
    }
    return this.#closed;
  }

  #stateOfPolicies() {
    const active = this.#snapshots.current;
    if (active === undefined) return undefined;
    return { version: active.snapshot.version, policies: active.policies };
  }

  get #table(): HandlerTable {
    return this.#snapshots.current?.table ?? EMPTY_TABLE;
  }

  /** Runs a call with the active snapshot, and holds its handlers until the call ends. */
  #during<T>(
    options: { readonly signal?: { readonly aborted: boolean } } | undefined,
    work: (active: ActiveSnapshot) => MaybePromise<T>,
  ): MaybePromise<T> {
    const active = this.#snapshots.current;
    if (this.#closed !== undefined) throw new PurserError("PURSER_DRAINING", "the mixer is shutting down");
    if (active === undefined || options?.signal?.aborted === true) {
      const why = active === undefined ? "the mixer has no documents yet" : "the call was aborted";
      throw new PurserError("PURSER_MIXER_UNAVAILABLE", why);
    }
    active.hold();
    return attempt(
      () =>
        chain(work(active), (value) => {
          active.release();
          return value;
        }),
      (error) => {
        active.release();
        throw error;
      },
    );
  }
}
