// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { builtinOf } from "./reference-functions.ts";
import type { ReferenceFunction } from "../runtime/jsonata-functions.ts";
import { signatureOf } from "../runtime/signatures.ts";
import { chargeOf, isMeasured } from "./costs.ts";
import type { CompiledFunction } from "../runtime/callee.ts";
import type { Guard } from "../runtime/guard.ts";
import { chargeCoercion } from "../runtime/values.ts";
import { createSequence, type Sequence } from "../runtime/sequence.ts";

/** Functions that hand on what they are given, and make no text of it. */
const KEEPING: ReadonlySet<string> = new Set("zip exists reverse shuffle type count".split(" "));

/** One of the reference's own functions that needs nothing to be waited for. */
export function referenceFunction(name: string, original = builtinOf(name)): CompiledFunction {
  const { implementation, signature } = original as ReferenceFunction;
  const call = implementation as (...values: unknown[]) => unknown;
  const charge = chargeOf(name);
  const measured = isMeasured(name);
  return {
    name,
    arity: call.length,
    signature: signature === undefined ? undefined : signatureOf(signature as { definition: string }),
    invoke(guard, values, context) {
      charge?.(guard, values);
      if (!KEEPING.has(name)) chargeCoercion(guard, values);
      const result = call.apply(new Focus(guard, context), values as unknown[]);
      if (measured) guard.look(true);
      return result;
    },
  };
}

/** What the reference's functions find in `this`. A class, as an object with a getter is slow to make for each call. */
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

  /** $toMillis fills in what its picture leaves out from the time of the evaluation. */
  get environment(): { readonly timestamp: unknown } {
    // oxlint-disable-next-line no-restricted-globals -- of a given time; no clock is read
    return { timestamp: new Date(this.#guard.nowMs) };
  }

  createSequence(...items: unknown[]): Sequence {
    return createSequence(items);
  }
}
