// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Reason that a part of a request has no canonical form: servers read it differently, so it is refused rather
 * than guessed. It is a class so that the type checker tells it from the text of a canonical part.
 */
export class Malformed {
  /** Continues a sentence about the part, such as `has the escape %00`. Never contains secrets. */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}
