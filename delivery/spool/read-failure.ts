// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Failures that are not the file's: too many open files, no memory, a permission that was not given. */
const OF_THE_MOMENT: ReadonlySet<unknown> = new Set([
  "EACCES",
  "EAGAIN",
  "EBUSY",
  "EINTR",
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "EPERM",
  "ETIMEDOUT",
]);

/**
 * Whether a read that failed must be repeated later: the file's content may be whole. Every other failure (EIO,
 * ENOENT) means that the content is lost.
 */
export function mayReadLater(error: unknown): boolean {
  return OF_THE_MOMENT.has((error as { readonly code?: unknown } | undefined)?.code);
}
