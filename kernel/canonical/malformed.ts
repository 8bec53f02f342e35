// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Reason that a part of a request has no canonical form: servers read it differently, so it is refused rather than
 * guessed. A class, so that it cannot be mistaken for the text that it stands in for.
 */
export class Malformed {
  /** Continues a sentence about the part, such as `has the escape %00`. Holds nothing secret. */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}
