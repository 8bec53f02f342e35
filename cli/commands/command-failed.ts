// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Thrown when a command has found a failure (exit code 1). An empty message means that the command has
 * reported it already.
 */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}
