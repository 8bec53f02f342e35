// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Counts the users of something that they share, and calls back once when the last of them has released it. Whoever creates it
 * is its first user.
 */
export class RefCounted {
  readonly #onUnused: () => void;
  #users = 1;

  /** @param onUnused Disposes of what is shared; called once, by the last `release()`. */
  constructor(onUnused: () => void) {
    this.#onUnused = onUnused;
  }

  /**
   * Adds a user, who must call `release()` exactly once.
   *
   * @throws {Error} when the last user has released it already: a programmer's mistake.
   */
  hold(): void {
    if (this.#users === 0) throw new Error("what nobody uses any more cannot be held");
    this.#users += 1;
  }

  /** @throws {Error} when it was released more often than held: a programmer's mistake. */
  release(): void {
    if (this.#users === 0) throw new Error("what nobody uses any more cannot be released");
    this.#users -= 1;
    if (this.#users === 0) this.#onUnused();
  }
}
