// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, type Registry } from "prom-client";

/** The age of the keys of a URL. */
interface KeysAge {
  readonly url: string;
  readonly ageMs: number;
}

/** Counts of users' tokens, and of the keys that verify them. */
export class AuthenticationCounts {
  readonly #tokens: Counter;
  readonly #fetches: Counter;
  /** The ages of all keys in force, read at each scrape. */
  ages: () => readonly KeysAge[] = () => [];

  constructor(registry: Registry) {
    const registers = [registry];
    this.#tokens = new Counter({
      name: "purser_proxy_authentications_total",
      help: "Requests at listeners with a RequestAuthentication, by listener and result: the token verified or cached, no_token, or the reason of the refusal.",
      labelNames: ["listener", "result"],
      registers,
    });
    this.#fetches = new Counter({
      name: "purser_proxy_jwks_fetches_total",
      help: "Fetches of issuers' keys, by URL and result: changed, unchanged, or failed with the last good keys still in force.",
      labelNames: ["url", "result"],
      registers,
    });
    const ages = (): readonly KeysAge[] => this.ages();
    new Gauge({
      name: "purser_proxy_jwks_age_seconds",
      help: "Time since an issuer's keys were last fetched, by URL.",
      labelNames: ["url"],
      aggregator: "max",
      registers,
      collect() {
        this.reset();
        for (const { url, ageMs } of ages()) this.set({ url }, ageMs / 1_000);
      },
    });
  }

  countToken(listener: string, result: string): void {
    this.#tokens.inc({ listener, result });
  }

  countFetch(url: string, result: string): void {
    this.#fetches.inc({ url, result });
  }
}
