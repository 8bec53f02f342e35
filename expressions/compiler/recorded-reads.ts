// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PathRead } from "../runtime/reads/reads.ts";
import type { ReadStyle } from "./emitter.ts";

/** Reads through the request's `Reads`, which is the environment of such code. */
export const RECORDED_READS: ReadStyle = {
  path: (emitter, names) => valueOf(emitter.constant(PathRead.of(names))),
  sequence: (emitter, names) => `E.sequence(${emitter.constant(PathRead.of(names))})`,
  exists: (emitter, names) => `(${valueOf(emitter.constant(PathRead.of(names)))}!==undefined)`,
  whole: () => "E.view",
};

function valueOf(path: string): string {
  return `(${path}.id===E.id?${path}.value:E.read(${path}))`;
}
