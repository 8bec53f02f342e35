// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import type { TrustState } from "../api/identity-service.ts";
import { messageOf } from "../kernel/errors.ts";
import type { Logger } from "../kernel/ports.ts";
import { pinOf } from "./authority/pem.ts";
import type { Revocations } from "./revocations.ts";

/** The trust state as proxies get it, and those that watch it. */
export class TrustPublisher {
  readonly #logger: Logger;
  readonly #watchers = new Set<(trust: TrustState) => void>();
  #current: TrustState;

  constructor(roots: readonly string[], revocations: Revocations, logger: Logger) {
    this.#logger = logger;
    this.#current = trustOf(roots, revocations);
  }

  get current(): TrustState {
    return this.#current;
  }

  get watcherCount(): number {
    return this.#watchers.size;
  }

  /** Calls `listener` with the present state and each new one, until the returned function is called. */
  watch(listener: (trust: TrustState) => void): () => void {
    this.#watchers.add(listener);
    listener(this.#current);
    return () => void this.#watchers.delete(listener);
  }

  /** Takes a new state, and tells the watchers if it differs. */
  publish(roots: readonly string[], revocations: Revocations): void {
    const next = trustOf(roots, revocations);
    if (next.version === this.#current.version) return;
    this.#current = next;
    for (const watcher of this.#watchers) {
      try {
        watcher(next);
      } catch (error) {
        this.#logger.error("a watcher of the trust state failed", { error: messageOf(error) });
      }
    }
  }
}

/** Versions are hashes: a service that is restored from a backup does not reuse one for another state. */
function trustOf(roots: readonly string[], revocations: Revocations): TrustState {
  const bundleVersion = hashOf(roots.map(pinOf).toSorted());
  const revokedIds = revocations.ids().map(({ spiffeId }) => spiffeId);
  const revokedSerials = revocations.serials().map(({ serial }) => serial);
  return {
    version: hashOf([bundleVersion, ...revokedIds, "", ...revokedSerials]),
    bundleVersion,
    trustBundle: roots.join(""),
    revokedIds,
    revokedSerials,
  };
}

function hashOf(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 22);
}
