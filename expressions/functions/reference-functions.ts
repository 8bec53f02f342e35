// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import { GATEWAY_FUNCTIONS } from "./added/functions.ts";

/** A function of the reference implementation, as it keeps it. */
export interface ReferenceFunction {
  readonly _jsonata_function: true;
  readonly implementation: (this: unknown, ...values: never[]) => unknown;
  readonly signature?: unknown;
}

/** A function of JSONata's, or a gateway's, by its name without the `$`; undefined when there is none. */
export const builtinOf: (name: string) => ReferenceFunction | undefined = findFunctions();

/** JSONata exports no functions; a frame that is made for an evaluation can look them up. */
function findFunctions(): (name: string) => ReferenceFunction | undefined {
  interface Frame {
    lookup(name: string): ReferenceFunction | undefined;
  }
  let frame: Frame | undefined;
  const probe = jsonata("null");
  for (const { name, implementation, signature } of GATEWAY_FUNCTIONS)
    probe.registerFunction(name, implementation as (...values: unknown[]) => unknown, signature);
  const onFrame = Symbol.for("jsonata.__createFrame_push") as unknown as string;
  probe.assign(onFrame, (enclosing: Frame) => {
    frame ??= enclosing;
  });
  // Frames are made before the first await.
  void probe.evaluate(null);
  return (name) => frame?.lookup(name);
}
