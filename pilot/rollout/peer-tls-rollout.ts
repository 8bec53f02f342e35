// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TrafficDocuments } from "../../core/snapshot/snapshot.ts";
import type { Cancel, Clock, Logger, Scheduler } from "../../kernel/ports.ts";
import { PeerPolicies } from "../translate/peer-tls/peer-policies.ts";
import { changingModes, type PeerTlsModes } from "../translate/peer-tls/peer-tls-modes.ts";
import { KnownProxies } from "./known-proxies.ts";

export interface PeerTlsRolloutSettings {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Longest time of each of the two steps, in milliseconds; default 60 000. */
  readonly graceMs?: number;
  /** Called when the modes change without new documents: the proxies must get their resources anew. */
  onStep(): void;
}

const DEFAULT_GRACE_MS = 60_000;

/** Time between the last proxy's answer and the next step: a proxy answers before it has applied an update. */
const SETTLE_MS = 1_000;

const CHECK_MS = 250;

/** Maximum number of former policies that servers accept still, when documents change again and again within a step. */
const MAX_ACCEPTED = 16;

/** `open`: servers accept the old and the new way. `switch`: callers speak the new way. `none`: nothing is on its way. */
export type RolloutStep = "none" | "open" | "switch";

/**
 * Brings changed PeerAuthentications to the proxies in an order in which no call is refused: first servers accept both the
 * old and the new way, then callers speak the new way, and at last servers refuse the old one. Each step ends when every
 * watching proxy has its resources, or after the grace time.
 */
export class PeerTlsRollout {
  readonly proxies: KnownProxies;
  readonly #settings: PeerTlsRolloutSettings;
  #newest: PeerPolicies | undefined;
  #newestKey = "";
  #ofClients: PeerPolicies | undefined;
  /** The policies that callers may follow still, the newest last. */
  #accepted: readonly PeerPolicies[] = [];
  #step: RolloutStep = "none";
  #generation = 0;
  #stepSinceMs = 0;
  /** Monotonic time since which no proxy lags; undefined while one does. */
  #settledSinceMs: number | undefined;
  #cancelChecks: Cancel | undefined;
  /** Steps that ended by the grace time, with proxies that had not answered. */
  graceEndsTotal = 0;

  constructor(settings: PeerTlsRolloutSettings) {
    this.#settings = settings;
    this.proxies = new KnownProxies(settings.clock);
  }

  get step(): RolloutStep {
    return this.#step;
  }

  /** Grows with each change of the resources. */
  get generation(): number {
    return this.#generation;
  }

  /** The modes of the present step; undefined before the first documents. */
  get modes(): PeerTlsModes | undefined {
    return this.#ofClients === undefined ? undefined : changingModes(this.#ofClients, this.#accepted);
  }

  /** Takes new documents. The proxies must get their resources after it. */
  update(documents: Pick<TrafficDocuments, "peerAuthentications" | "rootNamespace">): void {
    this.#generation++;
    const key = JSON.stringify([
      documents.rootNamespace,
      documents.peerAuthentications.map(({ metadata, spec }) => [metadata.namespace, spec]),
    ]);
    if (key === this.#newestKey) return;
    this.#newestKey = key;
    const isFirst = this.#newest === undefined;
    this.#newest = new PeerPolicies(documents);
    if (isFirst) {
      this.#ofClients = this.#newest;
      this.#accepted = [this.#newest];
      return;
    }
    this.#accepted = [...this.#accepted, this.#newest].slice(-MAX_ACCEPTED);
    this.#begin("open");
    this.#cancelChecks ??= this.#settings.scheduler.every(CHECK_MS, () => this.#check());
  }

  #begin(step: RolloutStep): void {
    this.#step = step;
    this.#stepSinceMs = this.#settings.clock.monotonicMs();
    this.#settledSinceMs = undefined;
  }

  #check(): void {
    const nowMs = this.#settings.clock.monotonicMs();
    const lagging = this.proxies.lagging(this.#generation);
    if (lagging.length > 0) {
      this.#settledSinceMs = undefined;
      const { graceMs = DEFAULT_GRACE_MS, logger } = this.#settings;
      if (nowMs - this.#stepSinceMs < graceMs) return;
      this.graceEndsTotal++;
      logger.warn("proxies have not answered within the grace time of a change of mutual TLS", {
        step: this.#step,
        proxies: lagging.length,
        some: lagging.slice(0, 5),
      });
    } else {
      this.#settledSinceMs ??= nowMs;
      if (nowMs - this.#settledSinceMs < SETTLE_MS) return;
    }
    this.#advance();
  }

  #advance(): void {
    const newest = this.#newest as PeerPolicies;
    if (this.#step === "open") {
      this.#ofClients = newest;
      this.#begin("switch");
    } else {
      this.#accepted = [newest];
      this.#begin("none");
      this.#cancelChecks?.();
      this.#cancelChecks = undefined;
    }
    this.#generation++;
    this.#settings.onStep();
  }
}
