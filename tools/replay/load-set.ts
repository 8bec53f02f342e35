// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ReplaySet } from "../../core/replay/replay-set.ts";
import { buildPlugins, type PluginsOfSet } from "../plugins-of-set.ts";
import type { Runtime } from "../../kernel/ports.ts";
import type { ReadSnapshot } from "../read-snapshot.ts";

export interface LoadedSet extends Pick<PluginsOfSet, "unanswered" | "close"> {
  readonly set: ReplaySet;
}

/**
 * Reads a set of documents once and builds its plugins.
 *
 * @throws {ConfigRejected} for a set with faults.
 */
export async function loadSet(
  paths: readonly string[],
  runtime: Runtime,
  readSnapshot: ReadSnapshot,
): Promise<LoadedSet> {
  const snapshot = await readSnapshot(paths);
  const { dispatch, unanswered, close } = await buildPlugins(snapshot, runtime);
  return { set: new ReplaySet(snapshot, dispatch), unanswered, close };
}
