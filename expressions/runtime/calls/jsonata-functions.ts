// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";

/** A function as the `jsonata` package keeps it. */
export interface ReferenceFunction {
  readonly _jsonata_function: true;
  readonly implementation: (this: unknown, ...values: never[]) => unknown;
  readonly signature?: unknown;
}

/** The `jsonata` package's own function of a name, without the `$`; undefined when there is none. */
export const builtinOf: (name: string) => ReferenceFunction | undefined = findFunctions();

/** JSONata exports no functions; a frame that is made for an evaluation can look them up. */
function findFunctions(): (name: string) => ReferenceFunction | undefined {
  interface Frame {
    lookup(name: string): ReferenceFunction | undefined;
  }
  let frame: Frame | undefined;
  const probe = jsonata("null");
  const onFrame = Symbol.for("jsonata.__createFrame_push") as unknown as string;
  probe.assign(onFrame, (enclosing: Frame) => {
    frame ??= enclosing;
  });
  // Frames are made before the first await.
  void probe.evaluate(null);
  return (name) => frame?.lookup(name);
}
