// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { AsyncLocalStorage, createHook } from "node:async_hooks";
import { LASTING } from "./lasting-resources.ts";

/** Runs an extension's code, and notes the timers and handles that it makes, then or later. */
export class Confinement {
  readonly #inside = new AsyncLocalStorage<true>();
  readonly #made = new Set<string>();
  readonly #hook = createHook({
    init: (_id, type) => {
      if (LASTING.has(type) && this.#inside.getStore() === true) this.#made.add(type);
    },
  });

  constructor() {
    // Node.js opens the standard streams when they are first read, which is no deed of the extension.
    void [process.stdout, process.stderr];
    this.#hook.enable();
  }

  run<T>(work: () => T): T {
    return this.#inside.run(true, work);
  }

  /** Ends the observation, and returns the types of all that was made, in async_hooks' words. */
  end(): readonly string[] {
    this.#hook.disable();
    this.#inside.disable();
    return [...this.#made];
  }
}
