// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Logger } from "../../plugins/sdk/index.ts";

/**
 * Warns, once for a handler, when a server may evict counts: an evicted count starts at 0, so its limit may be
 * exceeded. Every policy but noeviction may, also the volatile ones, because every count has a TTL. A server
 * without maxmemory evicts nothing.
 *
 * INFO says so (https://redis.io/docs/latest/commands/info/). A user without the right to INFO gets no warning.
 */
export class EvictionWarning {
  readonly #logger: Logger;
  #warned = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param readMemory Reads the section `memory` of INFO. */
  check(address: string, readMemory: () => Promise<string>): void {
    if (this.#warned) return;
    readMemory().then(
      (memory) => this.#judge(address, memory),
      // The next connection reads again.
      () => undefined,
    );
  }

  #judge(address: string, memory: string): void {
    const maxmemory = /^maxmemory:(\d+)/m.exec(memory)?.[1];
    const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
    if (this.#warned || policy === undefined || policy === "noeviction" || Number(maxmemory ?? 0) === 0)
      return;
    this.#warned = true;
    this.#logger.warn("redis may evict counts, which then start at 0: set maxmemory-policy to noeviction", {
      address,
      maxmemoryPolicy: policy,
    });
  }
}
