// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A reference count of a shared object. The creator holds the first reference; the last release disposes of the object. */
export class RefCounted {
  readonly #onUnused: () => void;
  #references = 1;

  /** @param onUnused Disposes of the shared object; called once, by the last `release()`. */
  constructor(onUnused: () => void) {
    this.#onUnused = onUnused;
  }

  /**
   * Adds a reference. Exactly one `release()` must follow.
   *
   * @throws {Error} after the last release: a programmer's mistake.
   */
  hold(): void {
    if (this.#references === 0) throw new Error("hold() after the last release()");
    this.#references += 1;
  }

  /** @throws {Error} after the last release: a programmer's mistake. */
  release(): void {
    if (this.#references === 0) throw new Error("release() after the last release()");
    this.#references -= 1;
    if (this.#references === 0) this.#onUnused();
  }
}
