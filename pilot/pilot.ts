// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { LRUCache } from "lru-cache";
import type { PilotService, ProxyNode, Subscription } from "../api/pilot-service.ts";
import type { Diagnostic } from "../kernel/diagnostic.ts";
import { messageOf, PurserError } from "../kernel/errors.ts";
import type { Logger } from "../kernel/ports.ts";
import type { Snapshot, TrafficDocuments } from "../core/snapshot/snapshot.ts";
import {
  changedSets,
  knownAfter,
  type KnownVersions,
  type TrafficResources,
  type TrafficUpdate,
} from "../core/traffic/resources/resource-set.ts";
import { PeerTlsRollout, type PeerTlsRolloutSettings, type RolloutStep } from "./rollout/peer-tls-rollout.ts";
import { translate } from "./translate/translate.ts";

export interface PilotOptions {
  readonly logger: Logger;
  /** Brings changes of mutual TLS to the proxies in steps; default: callers and servers change at the same time. */
  readonly steps?: Pick<PeerTlsRolloutSettings, "clock" | "scheduler" | "graceMs">;
  /** Maximum number of watchers; further calls of watch() throw PURSER_OVERLOADED. Default 10000. */
  readonly maxWatchers?: number;
}

/** Pilot in this process: documents in, the resources of each watching proxy out. */
export interface Pilot extends PilotService {
  /** Activates new documents, and calls the proxies whose watched resources they change. */
  update(snapshot: Pick<Snapshot, "version" | "traffic">): void;
  /** Records that newer documents were refused while the current ones stay active; until the next update. */
  reject(diagnostics: readonly Diagnostic[]): void;
  /** The refusal of the newest documents; undefined when they are active. */
  readonly rejection: readonly Diagnostic[] | undefined;
  /** The active documents; undefined before the first update. */
  readonly current: Pick<Snapshot, "version" | "traffic"> | undefined;
  readonly watcherCount: number;
  /** Number of updates so far. */
  readonly updateCount: number;
  /** The change of mutual TLS that is on its way to the proxies. */
  readonly peerTls: { readonly step: RolloutStep; readonly graceEndsTotal: number };
}

const DEFAULT_MAX_WATCHERS = 10_000;

/**
 * Maximum number of nodes (apart from their ids) whose resources are cached. Eviction: least recently used.
 */
const CACHED_NODES = 1_000;

interface Watcher {
  readonly node: ProxyNode;
  readonly listener: (update: TrafficUpdate) => void;
  /** The versions that the watcher has: as it declared, then as sent to it. */
  known: KnownVersions;
}

export function createPilot({ logger, steps, maxWatchers = DEFAULT_MAX_WATCHERS }: PilotOptions): Pilot {
  const watchers = new Set<Watcher>();
  const cache = new LRUCache<string, TrafficResources>({ max: CACHED_NODES });
  let current: Pick<Snapshot, "version" | "traffic"> | undefined;
  let rejection: readonly Diagnostic[] | undefined;
  let updateCount = 0;
  const rollout =
    steps === undefined ? undefined : new PeerTlsRollout({ ...steps, logger, onStep: () => notifyAll() });

  /** The resources of a node, shared by all proxies that differ only in their id. */
  function resourcesOf(node: ProxyNode, documents: TrafficDocuments): TrafficResources {
    const key = JSON.stringify({ ...node, id: "" });
    const resources = cache.get(key) ?? translate(documents, node, rollout?.modes);
    cache.set(key, resources);
    return resources;
  }

  function notify(watcher: Watcher, documents: TrafficDocuments): void {
    const update = changedSets(resourcesOf(watcher.node, documents), watcher.known);
    rollout?.proxies.has(watcher.node.id, rollout.generation, update !== undefined);
    if (update === undefined) return;
    watcher.known = knownAfter(watcher.known, update);
    try {
      watcher.listener(update);
    } catch (error) {
      // A watcher that throws must not affect the others.
      const fields = { node: watcher.node.id, versions: watcher.known, error: messageOf(error) };
      logger.error("a watcher of traffic resources failed", fields);
    }
  }

  function notifyAll(): void {
    cache.clear();
    if (current !== undefined) for (const watcher of watchers) notify(watcher, current.traffic);
  }

  return {
    get peerTls() {
      return { step: rollout?.step ?? "none", graceEndsTotal: rollout?.graceEndsTotal ?? 0 };
    },
    get current() {
      return current;
    },
    get watcherCount() {
      return watchers.size;
    },
    get updateCount() {
      return updateCount;
    },
    get rejection() {
      return rejection;
    },
    reject(diagnostics) {
      rejection = diagnostics;
    },
    update(snapshot) {
      current = snapshot;
      rejection = undefined;
      updateCount++;
      rollout?.update(snapshot.traffic);
      notifyAll();
    },
    watch({ node, known }: Subscription, listener) {
      if (watchers.size >= maxWatchers) {
        throw new PurserError("PURSER_OVERLOADED", `Pilot has ${maxWatchers} watchers already`);
      }
      const watcher: Watcher = { node, listener, known };
      watchers.add(watcher);
      rollout?.proxies.join(node.id);
      if (current !== undefined) notify(watcher, current.traffic);
      return () => {
        if (watchers.delete(watcher)) rollout?.proxies.leave(node.id);
      };
    },
  };
}
