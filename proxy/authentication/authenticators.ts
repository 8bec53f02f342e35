// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Listener } from "../../core/traffic/resources/listener.ts";
import { isSameResource } from "../../core/traffic/resources/resource-set.ts";
import type { Clock } from "../../kernel/ports.ts";
import { Authenticator } from "./authenticator.ts";
import { JwksSources } from "./jwks/jwks-sources.ts";
import type { JwksServices } from "./jwks/jwks-source.ts";

const NONE: ReadonlyMap<string, Authenticator> = new Map();

/** The authenticators of each new state of the listeners. Those of unchanged rules are kept, with the tokens that they know. */
export class Authenticators {
  readonly sources: JwksSources;
  readonly #clock: Pick<Clock, "nowMs">;
  #listeners: ReadonlyMap<string, Listener> = new Map();
  #byListener = NONE;

  constructor(services: JwksServices) {
    this.sources = new JwksSources(services);
    this.#clock = services.clock;
  }

  /** By the names of the listeners that have rules. */
  build(listeners: readonly Listener[]): ReadonlyMap<string, Authenticator> {
    const settings = listeners.flatMap(({ requestAuthentication }) => requestAuthentication ?? []);
    this.sources.use(settings);
    const built = new Map<string, Authenticator>();
    for (const { name, requestAuthentication } of listeners) {
      if (requestAuthentication === undefined) continue;
      const before = this.#listeners.get(name)?.requestAuthentication;
      const known = this.#byListener.get(name);
      const isKept =
        known !== undefined &&
        before !== undefined &&
        isSameResource({ name, ...before }, { name, ...requestAuthentication });
      built.set(name, isKept ? known : new Authenticator(requestAuthentication, this.sources, this.#clock));
    }
    this.#listeners = new Map(listeners.map((listener) => [listener.name, listener]));
    this.#byListener = built.size === 0 ? NONE : built;
    return this.#byListener;
  }

  close(): void {
    this.sources.close();
  }
}
