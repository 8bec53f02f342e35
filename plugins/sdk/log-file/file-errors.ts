// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * System errors that no repetition within minutes changes: the path is not one of a file, or the file system is read-only. Others
 * may pass: a full disk (ENOSPC, EDQUOT), a missing folder (ENOENT), or missing permissions (EACCES, EPERM), which a log
 * rotator that makes the file before it gives it away causes for a moment.
 */
const PERMANENT: ReadonlySet<string> = new Set([
  "EISDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "ENOTDIR",
  "EROFS",
  "ERR_INVALID_ARG_VALUE",
]);

export function isPermanent(error: unknown): boolean {
  return PERMANENT.has(codeOf(error));
}

/** For `catch`: undefined when the file does not exist; rethrows any other error. */
export function unlessAbsent(error: unknown): undefined {
  if (codeOf(error) !== "ENOENT") throw error;
  return undefined;
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException | undefined)?.code);
}
