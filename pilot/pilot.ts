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
import { translate } from "./translate/translate.ts";

export interface PilotOptions {
  readonly logger: Logger;
  /** How many may watch at once; beyond it watch() throws PURSER_OVERLOADED. Default 10000. */
  readonly maxWatchers?: number;
}

/** Pilot in this process: documents in, each watching proxy's resources out. */
export interface Pilot extends PilotService {
  /** Takes a new set of documents into force and tells the proxies whose watched resources it changes. */
  update(snapshot: Pick<Snapshot, "version" | "traffic">): void;
  /** Notes that a newer set was refused and the one in force goes on; until the next update. */
  reject(diagnostics: readonly Diagnostic[]): void;
  /** Why the newest set was refused; undefined when it is the one in force. */
  readonly rejection: readonly Diagnostic[] | undefined;
  /** What is in force; undefined before the first update. */
  readonly current: Pick<Snapshot, "version" | "traffic"> | undefined;
  readonly watcherCount: number;
  /** How many updates there were. */
  readonly updateCount: number;
}

const DEFAULT_MAX_WATCHERS = 10_000;

/** Kinds of proxies whose resources are kept, of the documents in force; beyond it the least recently used go. */
const CACHED_NODES = 1_000;

interface Watcher {
  readonly node: ProxyNode;
  readonly listener: (update: TrafficUpdate) => void;
  /** The versions that it said it has, or was told last. */
  known: KnownVersions;
}

export function createPilot({ logger, maxWatchers = DEFAULT_MAX_WATCHERS }: PilotOptions): Pilot {
  const watchers = new Set<Watcher>();
  const cache = new LRUCache<string, TrafficResources>({ max: CACHED_NODES });
  let current: Pick<Snapshot, "version" | "traffic"> | undefined;
  let rejection: readonly Diagnostic[] | undefined;
  let updateCount = 0;

  /** Proxies that differ by nothing but their id share their resources. */
  function resourcesOf(node: ProxyNode, documents: TrafficDocuments): TrafficResources {
    const key = JSON.stringify({ ...node, id: "" });
    const resources = cache.get(key) ?? translate(documents, node);
    cache.set(key, resources);
    return resources;
  }

  function tell(watcher: Watcher, documents: TrafficDocuments): void {
    const update = changedSets(resourcesOf(watcher.node, documents), watcher.known);
    if (update === undefined) return;
    watcher.known = knownAfter(watcher.known, update);
    try {
      watcher.listener(update);
    } catch (error) {
      // One proxy's trouble is not another's.
      const fields = { node: watcher.node.id, versions: watcher.known, error: messageOf(error) };
      logger.error("a watcher of traffic resources failed", fields);
    }
  }

  return {
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
      cache.clear();
      for (const watcher of watchers) tell(watcher, snapshot.traffic);
    },
    watch({ node, known }: Subscription, listener) {
      if (watchers.size >= maxWatchers) {
        throw new PurserError("PURSER_OVERLOADED", `Pilot has ${maxWatchers} watchers already`);
      }
      const watcher: Watcher = { node, listener, known };
      watchers.add(watcher);
      if (current !== undefined) tell(watcher, current.traffic);
      return () => {
        watchers.delete(watcher);
      };
    },
  };
}
