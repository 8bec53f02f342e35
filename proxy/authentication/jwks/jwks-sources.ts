// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RequestAuthentication } from "../../../core/traffic/resources/request-authentication.ts";
import { type JwksServices, JwksSource } from "./jwks-source.ts";

/** The URLs that keys are fetched from. Rules with the same URL share its keys, also across snapshots. */
export class JwksSources {
  readonly #services: JwksServices;
  readonly #byUrl = new Map<string, JwksSource>();

  constructor(services: JwksServices) {
    this.#services = services;
  }

  /** Begins with the URLs of these rules, and ends those of no rule. Requests under way keep the keys that they have. */
  use(settings: readonly RequestAuthentication[]): void {
    const timeouts = new Map<string, number>();
    for (const { keys } of settings.flatMap(({ rules }) => rules)) {
      if (keys.kind === "remote")
        timeouts.set(keys.url, Math.max(timeouts.get(keys.url) ?? 0, keys.timeoutMs));
    }
    for (const [url, source] of this.#byUrl) {
      if (timeouts.has(url)) continue;
      source.close();
      this.#byUrl.delete(url);
    }
    for (const [url, timeoutMs] of timeouts) {
      const source = this.#byUrl.get(url);
      if (source === undefined) this.#byUrl.set(url, new JwksSource(url, timeoutMs, this.#services));
      else source.timeoutMs = timeoutMs;
    }
  }

  /** @throws Error for a URL that was not begun with. */
  find(url: string): JwksSource {
    const source = this.#byUrl.get(url);
    if (source === undefined) throw new Error(`no rule in force has the URL ${url}`);
    return source;
  }

  /** The age of the keys of each URL that has some. */
  ages(): readonly { readonly url: string; readonly ageMs: number }[] {
    return [...this.#byUrl.values()].flatMap(({ name: url, ageMs }) =>
      ageMs === undefined ? [] : [{ url, ageMs }],
    );
  }

  close(): void {
    for (const source of this.#byUrl.values()) source.close();
    this.#byUrl.clear();
  }
}
