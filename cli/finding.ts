// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A command found what it was told to fail on, and has said so: the process ends with exit code 1 and no more words. */
export class Finding extends Error {
  override readonly name = "Finding";
}
