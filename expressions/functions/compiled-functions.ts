// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CompiledFunction } from "../runtime/callee.ts";
import { builtinOf, type ReferenceFunction } from "../runtime/reference-functions.ts";
import { parseSignature, signatureOf } from "../runtime/signatures.ts";
import type { FunctionDefinition } from "./definition.ts";
import { FUNCTIONS } from "./functions.ts";
import { invokeOf } from "./reference-invoke.ts";

/** The functions that compiled code calls, by name without the `$`. `$eval` is not among them: it needs the interpreter. */
export const COMPILED_FUNCTIONS: ReadonlyMap<string, CompiledFunction> = new Map(
  [...FUNCTIONS.values()].map((definition) => [definition.name, compiled(definition)]),
);

/** Functions that policies may not give every argument (`inPolicies`), by name, with that check before each call. */
export const RESTRICTED_FUNCTIONS: ReadonlyMap<string, CompiledFunction> = new Map(
  [...FUNCTIONS.values()]
    .filter(({ inPolicies }) => inPolicies !== undefined)
    .map((definition) => [definition.name, compiled(restricted(definition))]),
);

/** A function in the form that the `jsonata` package's interpreter takes. */
export function nativeOf(definition: FunctionDefinition): ReferenceFunction {
  const { name, signature, implementation } = definition;
  const builtin = builtinOf(name);
  return {
    _jsonata_function: true,
    implementation: (implementation ?? builtin?.implementation) as ReferenceFunction["implementation"],
    // JSONata's own signature is kept where there is one: the record's tells more of the result, which JSONata does not check.
    signature: builtin === undefined ? parseSignature(signature) : builtin.signature,
  };
}

/** The same function, for policies: it fails on arguments that a policy may not give. */
export function restricted(definition: FunctionDefinition): FunctionDefinition {
  const { inPolicies, invoke } = definition;
  if (inPolicies === undefined) return definition;
  const { refuse } = inPolicies;
  const call = nativeOf(definition).implementation as Call;
  const implementation: Call = function (...values) {
    refuse(values);
    return call.apply(this, values);
  };
  // For partial application JSONata reads the number and the names of the parameters.
  const text = String(call);
  Object.defineProperties(implementation, {
    length: { value: call.length },
    toString: { value: () => text },
  });
  if (invoke === undefined) return { ...definition, implementation };
  return {
    ...definition,
    implementation,
    invoke(guard, values, context) {
      refuse(values);
      return invoke(guard, values, context);
    },
  };
}

type Call = (this: unknown, ...values: unknown[]) => unknown;

function compiled(definition: FunctionDefinition): CompiledFunction {
  const { implementation, signature } = nativeOf(definition);
  return {
    name: definition.name,
    arity: implementation.length,
    signature: signatureOf(signature as { readonly definition: string }),
    invoke: definition.invoke ?? invokeOf(definition.name, definition),
    ...(definition.prepare === undefined ? {} : { prepare: definition.prepare }),
  };
}
