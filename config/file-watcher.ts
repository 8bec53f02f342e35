// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { dirname, resolve, sep } from "node:path";
import { type FSWatcher, watch } from "chokidar";

/**
 * Calls `onChange` whenever something at or below one of `paths` may have changed; false alarms are possible,
 * misses are not. Resolves once every later change will be seen.
 */
export async function watchPaths(
  paths: readonly string[],
  onChange: () => void,
  onError: (error: unknown) => void,
): Promise<FSWatcher> {
  const roots = paths.map((path) => resolve(path));
  // Packages installed beside the documents are not read, and are far too many to watch.
  const within = (path: string) =>
    roots.some(
      (root) =>
        path === root ||
        (path.startsWith(root + sep) && !path.slice(root.length).split(sep).includes("node_modules")),
    );
  const onTheWay = (path: string) => roots.some((root) => dirname(root) === path);
  // Watch from the parent folder: only there is the replacement of a file or a whole folder visible.
  const watcher = watch(
    roots.map((root) => dirname(root)),
    { ignoreInitial: true, ignored: (path) => !within(resolve(path)) && !onTheWay(resolve(path)) },
  );
  watcher.on("all", (_event, path) => {
    if (within(resolve(path))) onChange();
  });
  // A ConfigMap or a linked folder changes when its symbolic link is replaced, which only the raw event
  // reports.
  watcher.on("raw", (_event, name: string | null, details) => {
    const { watchedPath = "" } = details as { readonly watchedPath?: string };
    if (within(resolve(watchedPath)) || within(resolve(watchedPath, name ?? ""))) onChange();
  });
  watcher.on("error", onError);
  await new Promise<void>((ready) => watcher.once("ready", ready));
  return watcher;
}
