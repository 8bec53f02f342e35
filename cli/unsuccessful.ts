// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The command has done its work and said what it found, and that is a failure: exit code 1 without another word. */
export class Unsuccessful extends Error {
  override readonly name = "Unsuccessful";
}
