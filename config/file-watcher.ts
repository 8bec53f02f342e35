// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type FSWatcher, watch } from "node:fs";
import { isYaml } from "./read-files.ts";
import { placesOf } from "./link-places.ts";

export interface WatchOptions {
  /** The configured paths, and symbolic links below them: each may come to lead elsewhere. */
  readonly paths: readonly string[];
  /** The folders that were read. */
  readonly folders: readonly string[];
  /** Called when a file or folder may have changed; false alarms are possible. */
  readonly onChange: () => void;
  /** Called when a folder cannot be watched, as when the system has no watches left. */
  readonly onError: (error: unknown) => void;
}

/** The names to look at in a watched folder; "all": whatever may be a document, a folder or a link. */
type Names = Set<string> | "all";

/**
 * Watches folders for changes, by the system's events alone (inotify, FSEvents): folders that were read for
 * their documents, and the folders above configured paths and links for one name each. A file that grows
 * beside the configuration, such as this process's own log, costs a comparison of names. chokidar listed the
 * whole folder for every event: a third of a core for a log of 200 writes a second.
 *
 * Resolves once every later change will be seen, as far as the file system has events.
 *
 * @returns A function that ends the watch.
 */
export async function watchPaths(options: WatchOptions): Promise<() => void> {
  const { paths, folders, onError } = options;
  const wanted = new Map<string, Names>(folders.map((folder) => [folder, "all"]));
  for (const path of paths) {
    for (const { folder, name } of await placesOf(path)) {
      const names = wanted.get(folder) ?? new Set();
      if (names !== "all") wanted.set(folder, names.add(name));
    }
  }
  const watchers: FSWatcher[] = [];
  for (const [folder, names] of wanted) {
    try {
      watchers.push(watchFolder(folder, names, options));
    } catch (error) {
      // A folder that is gone is found by the next reading.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") onError(error);
    }
  }
  return () => {
    for (const watcher of watchers) watcher.close();
  };
}

function watchFolder(folder: string, names: Names, { onChange, onError }: WatchOptions): FSWatcher {
  const watcher = watch(folder, (event, name) => {
    if (concerns(names, event, name)) onChange();
  });
  watcher.on("error", (error) => {
    // Windows reports the removal of a watched folder so.
    onChange();
    onError(error);
  });
  return watcher;
}

/**
 * Whether an event may be about the documents. `rename` is an entry that came or went, and may be a folder or
 * a link of any name; `change` is content.
 */
function concerns(names: Names, event: string, name: string | null): boolean {
  if (name === null) return true;
  return names === "all" ? event === "rename" || isYaml(name) : names.has(name);
}
