// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Files } from "../../../core/hooks/extension.ts";

/** Files in memory. Watchers are called at once, before `set` or `fail` returns. */
export interface MemoryFiles extends Files {
  /** Number of open watches. */
  readonly watching: number;
  /** Sets the file's text. */
  set(path: string, text: string): void;
  /** Makes the file unreadable. */
  fail(path: string, error?: Error): void;
}

/** Files by path. A file that was neither set nor failed counts as not yet read: its watchers wait. */
export function createMemoryFiles(initial: Readonly<Record<string, string>> = {}): MemoryFiles {
  const files = new Map<string, string | Error>(Object.entries(initial));
  const watches = new Set<{ readonly path: string; readonly tell: (content: string | Error) => void }>();

  const put = (path: string, content: string | Error): void => {
    files.set(path, content);
    for (const watch of watches) if (watch.path === path) watch.tell(content);
  };

  return {
    get watching() {
      return watches.size;
    },
    set: put,
    fail: (path, error = new Error(`ENOENT: no such file or directory, open '${path}'`)) => put(path, error),
    watch(path, listener, onError) {
      const watch = {
        path,
        tell: (content: string | Error) =>
          typeof content === "string" ? listener(content) : onError(content),
      };
      watches.add(watch);
      const content = files.get(path);
      if (content !== undefined) watch.tell(content);
      return () => void watches.delete(watch);
    },
  };
}
