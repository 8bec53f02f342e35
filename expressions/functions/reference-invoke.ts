// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Guard } from "../runtime/guard.ts";
import { builtinOf } from "../runtime/calls/jsonata-functions.ts";
import { createSequence, type Sequence } from "../runtime/sequence.ts";
import { chargeCoercion } from "../runtime/values.ts";
import type { FunctionDefinition, Invoke } from "./definition.ts";

type Call = (...values: unknown[]) => unknown;

/**
 * Makes an implementation in the form of the `jsonata` package's functions callable by compiled code.
 * @param implementation Default: the `jsonata` package's function of this name.
 */
export function invokeOf(
  name: string,
  {
    cost,
    keepsArguments,
    implementation,
  }: Pick<FunctionDefinition, "cost" | "keepsArguments" | "implementation">,
): Invoke {
  const call = (implementation ?? builtinOf(name)?.implementation) as Call;
  const charge = typeof cost === "function" ? cost : undefined;
  const isMeasured = cost === "measured";
  return (guard, values, context) => {
    charge?.(guard, values);
    if (isMeasured) guard.look();
    if (keepsArguments !== true) chargeCoercion(guard, values);
    const result = call.apply(new Focus(guard, context), values as unknown[]);
    if (isMeasured) guard.look(true);
    return result;
  };
}

/** The `this` of JSONata's functions. A class, since an object literal with getters is slow to make for each call. */
class Focus {
  readonly input: unknown;
  readonly #guard: Guard;

  constructor(guard: Guard, input: unknown) {
    this.#guard = guard;
    this.input = input;
  }

  get options(): { readonly sequence: number } {
    return { sequence: this.#guard.maxSequence };
  }

  /** The time of the evaluation, from which $toMillis takes the units that its picture leaves out. */
  get environment(): { readonly timestamp: unknown } {
    // oxlint-disable-next-line no-restricted-globals -- of a given time; no clock is read
    return { timestamp: new Date(this.#guard.nowMs) };
  }

  createSequence(...items: unknown[]): Sequence {
    return createSequence(items);
  }
}
