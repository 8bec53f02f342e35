// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The command has done its work, and the answer is no: exit code 1, with this message unless it has said all itself. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}
