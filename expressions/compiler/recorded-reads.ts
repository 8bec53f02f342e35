// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PathTable } from "../runtime/reads/path-read.ts";
import type { Emitter, ReadStyle } from "./emitter.ts";

/** Recorded reads through the request's `Reads`, which is the environment of the code. */
export function recordedReads(paths: PathTable): ReadStyle {
  const valueOf = (emitter: Emitter, names: readonly string[]): string => {
    const path = paths.of(names);
    const constant = emitter.constant(path);
    return `(E.slots[${path.slot}]===${constant}?E.slots[${path.slot + 1}]:E.read(${constant}))`;
  };
  return {
    path: valueOf,
    sequence: (emitter, names) => `E.sequence(${emitter.constant(paths.of(names))})`,
    exists: (emitter, names) => `(${valueOf(emitter, names)}!==undefined)`,
    whole: () => "E.view",
  };
}
