// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ReplaySet } from "../../core/replay/replay-set.ts";
import { readConfig } from "../part-config.ts";
import { buildPlugins, type PluginsOfSet } from "../plugins-of-set.ts";
import type { World } from "../world.ts";

export interface LoadedSet extends Pick<PluginsOfSet, "unanswered" | "close"> {
  readonly set: ReplaySet;
}

/**
 * Reads a set of documents once and builds its plugins.
 *
 * @throws {ConfigRejected} for a set with faults.
 */
export async function loadSet(paths: readonly string[], world: World): Promise<LoadedSet> {
  const snapshot = await readConfig(paths, world);
  const { dispatch, unanswered, close } = await buildPlugins(snapshot, world);
  return { set: new ReplaySet(snapshot, dispatch), unanswered, close };
}
