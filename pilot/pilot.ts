// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { LRUCache } from "lru-cache";
import type { PilotService, ProxyNode } from "../api/pilot.ts";
import type { Diagnostic } from "../kernel/diagnostic.ts";
import { messageOf, PurserError } from "../kernel/errors.ts";
import type { Logger } from "../kernel/ports.ts";
import type { Snapshot, TrafficDocuments } from "../core/snapshot/snapshot.ts";
import type { ProxyConfig } from "../core/traffic/resources/resource-set.ts";
import { translate } from "./translate/translate.ts";

export interface PilotOptions {
  readonly logger: Logger;
  /** How many may watch at once; beyond it watch() throws PURSER_OVERLOADED. Default 10000. */
  readonly maxWatchers?: number;
}

/** Pilot in this process: documents in, each watching proxy's configuration out. */
export interface Pilot extends PilotService {
  /** Takes a new set of documents into force and tells the proxies whose configuration it changes. */
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

/** Configurations kept for proxies that ask again, of the set in force; beyond it the least recently used go. */
const CACHED_CONFIGS = 1_000;

interface Watcher {
  readonly node: ProxyNode;
  readonly listener: (config: ProxyConfig) => void;
  /** What it was told last. */
  version: string | undefined;
}

export function createPilot({ logger, maxWatchers = DEFAULT_MAX_WATCHERS }: PilotOptions): Pilot {
  const watchers = new Set<Watcher>();
  const configs = new LRUCache<string, ProxyConfig>({ max: CACHED_CONFIGS });
  let current: Pick<Snapshot, "version" | "traffic"> | undefined;
  let rejection: readonly Diagnostic[] | undefined;
  let updateCount = 0;

  /** Proxies that differ by nothing but their id share one configuration. */
  function configFor(node: ProxyNode, documents: TrafficDocuments): ProxyConfig {
    const key = JSON.stringify({ ...node, id: "" });
    const config = configs.get(key) ?? translate(documents, node);
    configs.set(key, config);
    return config;
  }

  function tell(watcher: Watcher, documents: TrafficDocuments): void {
    const config = configFor(watcher.node, documents);
    if (config.version === watcher.version) return;
    watcher.version = config.version;
    try {
      watcher.listener(config);
    } catch (error) {
      // One proxy's trouble is not another's.
      const fields = { node: watcher.node.id, version: config.version, error: messageOf(error) };
      logger.error("a watcher of proxy configuration failed", fields);
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
      configs.clear();
      for (const watcher of watchers) tell(watcher, snapshot.traffic);
    },
    watch(node, listener) {
      if (watchers.size >= maxWatchers) {
        throw new PurserError("PURSER_OVERLOADED", `Pilot has ${maxWatchers} watchers already`);
      }
      const watcher: Watcher = { node, listener, version: undefined };
      watchers.add(watcher);
      if (current !== undefined) tell(watcher, current.traffic);
      return () => {
        watchers.delete(watcher);
      };
    },
  };
}
