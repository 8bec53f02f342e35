// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The end of the last piece of work of each key. */
const ends = new Map<string, Promise<void>>();

/**
 * Runs pieces of work of one key one after the other, in the order of the calls, whoever calls: two handlers of this process may
 * write to one file. Nothing is kept for a key without work.
 */
export function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const done = (ends.get(key) ?? Promise.resolve()).then(work);
  const end = done.then(ignore, ignore).then(() => {
    if (ends.get(key) === end) ends.delete(key);
  });
  ends.set(key, end);
  return done;
}

function ignore(): void {}
