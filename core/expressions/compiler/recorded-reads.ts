// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PathRead } from "../../attributes/reads.ts";
import type { ReadStyle } from "./emitter.ts";

/** How many paths are shared at most: beyond, as after many changes of the documents, sharing begins anew. */
const SHARED_PATHS = 10_000;

/** Reads through the request's `Reads`, which is the environment of such code. */
export function recordedReads(): ReadStyle {
  const shared = new Map<string, PathRead>();
  const pathOf = (names: readonly string[]): PathRead => {
    const key = JSON.stringify(names);
    let path = shared.get(key);
    if (path === undefined) {
      if (shared.size >= SHARED_PATHS) shared.clear();
      path = new PathRead(names);
      shared.set(key, path);
    }
    return path;
  };
  const value = (path: string): string => `(${path}.id===E.id?${path}.value:E.read(${path}))`;
  return {
    path: (emitter, names) => value(emitter.constant(pathOf(names))),
    sequence: (emitter, names) => `E.sequence(${emitter.constant(pathOf(names))})`,
    exists: (emitter, names) => `(${value(emitter.constant(pathOf(names)))}!==undefined)`,
    whole: () => "E.view",
  };
}
