// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";

/** A function of the jsonata package, as it keeps it. */
export interface ReferenceFunction {
  readonly _jsonata_function: true;
  readonly implementation: (this: unknown, ...values: never[]) => unknown;
  readonly signature?: unknown;
}

/** A function to register beside the package's own. */
export interface DeclaredFunction {
  readonly name: string;
  readonly implementation: (...values: never[]) => unknown;
  readonly signature: string;
}

/**
 * The package's functions, and those of `declared`, by name without the `$`. The package exports none of them: the frame that
 * it makes for an evaluation can look them up.
 */
export function jsonataFunctions(
  declared: readonly DeclaredFunction[] = [],
): (name: string) => ReferenceFunction | undefined {
  interface Frame {
    lookup(name: string): ReferenceFunction | undefined;
  }
  let frame: Frame | undefined;
  const probe = jsonata("null");
  for (const { name, implementation, signature } of declared)
    probe.registerFunction(name, implementation as (...values: unknown[]) => unknown, signature);
  const onFrame = Symbol.for("jsonata.__createFrame_push") as unknown as string;
  probe.assign(onFrame, (enclosing: Frame) => {
    frame ??= enclosing;
  });
  // Frames are made before the first await.
  void probe.evaluate(null);
  return (name) => frame?.lookup(name);
}
