// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  isComplete,
  knownAfter,
  NOTHING_KNOWN,
  type TrafficResources,
  type TrafficUpdate,
} from "../../core/traffic/resources/resource-set.ts";
import { messageOf } from "../../kernel/errors.ts";
import type { Logger } from "../../kernel/ports.ts";
import type { ProxyStats } from "../exchange/stats.ts";
import type { ListenerSet } from "../listeners/listener-set.ts";
import type { SnapshotBuilder } from "../snapshot/snapshot-builder.ts";
import type { ProxySnapshot } from "../snapshot/snapshot.ts";

export interface UpdateApplierServices {
  readonly snapshots: Pick<SnapshotBuilder, "build">;
  readonly listeners: Pick<ListenerSet, "update" | "addresses">;
  readonly stats: Pick<ProxyStats, "countUpdate">;
  readonly logger: Logger;
  /** Maximum time that a removed listener may take to finish its requests. */
  readonly drainMs: number;
  /**
   * Called after each state that was applied or rejected, with the errors of the state or of its listeners.
   */
  onApplied(errors: readonly unknown[]): void;
}

/** Applies pilot's updates, one state of the resources after the other. */
export class UpdateApplier {
  readonly #services: UpdateApplierServices;
  #snapshot: ProxySnapshot | undefined;
  /** The newest set of each type that pilot has sent. */
  #received: TrafficUpdate = {};
  /** The newest state that waits while another is being applied; it replaces older ones. */
  #next: TrafficResources | undefined;
  #applying = false;
  #stopped = false;

  constructor(services: UpdateApplierServices) {
    this.#services = services;
  }

  /** The active snapshot; undefined before the first. */
  get snapshot(): ProxySnapshot | undefined {
    return this.#snapshot;
  }

  /** Types may arrive in any order, one by one; nothing is applied before each type has arrived once. */
  receive(update: TrafficUpdate): void {
    if (this.#stopped) return;
    this.#received = { ...this.#received, ...update };
    if (!isComplete(this.#received)) return;
    this.#next = this.#received;
    if (!this.#applying) void this.#applyAll();
  }

  /** Ignores all further updates. */
  stop(): void {
    this.#stopped = true;
  }

  async #applyAll(): Promise<void> {
    this.#applying = true;
    while (this.#next !== undefined && !this.#stopped) {
      const resources = this.#next;
      this.#next = undefined;
      this.#services.onApplied(await this.#apply(resources));
    }
    this.#applying = false;
  }

  /**
   * Make before break: clusters and endpoints exist before a listener or a route leads to them, and removed
   * ones are drained last. Resources that cannot be built change nothing; the next update of any type tries
   * the whole state again.
   */
  async #apply(resources: TrafficResources): Promise<readonly unknown[]> {
    const { snapshots, listeners, stats, logger, drainMs } = this.#services;
    const versions = knownAfter(NOTHING_KNOWN, resources);
    let snapshot: ProxySnapshot;
    try {
      snapshot = snapshots.build(resources);
    } catch (error) {
      stats.countUpdate("rejected");
      logger.error("the resources from pilot cannot be used", { versions, error: messageOf(error) });
      return [error];
    }
    const old = this.#snapshot;
    this.#snapshot = snapshot;
    const errors = await listeners.update(snapshot, drainMs);
    old?.release();
    stats.countUpdate("accepted");
    // During the start, the proxy's `start` rejects with the errors instead.
    if (old !== undefined) {
      for (const error of errors) logger.error("a listener cannot listen", { error: messageOf(error) });
    }
    logger.info("resources in force", { versions, listeners: listeners.addresses().length });
    return errors;
  }
}
