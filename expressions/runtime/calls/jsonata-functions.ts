// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";

/** A function as the `jsonata` package represents it. */
export interface ReferenceFunction {
  readonly _jsonata_function: true;
  readonly implementation: (this: unknown, ...values: never[]) => unknown;
  readonly signature?: unknown;
}

/** The `jsonata` package's own function by its name without the `$`; undefined when there is none. */
export const builtinOf: (name: string) => ReferenceFunction | undefined = findFunctions();

/** Gets the package's functions from an evaluation frame, as JSONata does not export them. */
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
  // The frame is made before the first await, so synchronously.
  void probe.evaluate(null);
  return (name) => frame?.lookup(name);
}
