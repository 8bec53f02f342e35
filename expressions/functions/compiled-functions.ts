// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CompiledFunction } from "../runtime/calls/callee.ts";
import { builtinOf, type ReferenceFunction } from "../runtime/calls/jsonata-functions.ts";
import { parseSignature, signatureOf } from "../runtime/calls/signatures.ts";
import type { FunctionDefinition, Restriction } from "./definition.ts";
import { FUNCTIONS } from "./functions.ts";
import { invokeOf } from "./reference-invoke.ts";

/** The functions that compiled code calls, by name without the `$`. `$eval` is not among them: it needs the interpreter. */
export const COMPILED_FUNCTIONS: ReadonlyMap<string, CompiledFunction> = new Map(
  [...FUNCTIONS.values()].map((definition) => [definition.name, compiled(definition)]),
);

/** The functions that documents may use in part only (`restriction`), in place of the language's own. */
export const RESTRICTED_FUNCTIONS: ReadonlyMap<string, CompiledFunction> = new Map(
  [...FUNCTIONS.values()].flatMap((definition) => {
    const { name, restriction } = definition;
    return restriction === undefined
      ? []
      : [[name, compiled(restricted(definition, restriction.refuse))] as const];
  }),
);

/** A function in the form that the `jsonata` package's interpreter takes. */
export function nativeOf(definition: FunctionDefinition): ReferenceFunction {
  const { name, signature, implementation } = definition;
  const builtin = builtinOf(name);
  return {
    _jsonata_function: true,
    implementation: (implementation ?? builtin?.implementation) as ReferenceFunction["implementation"],
    // JSONata cannot parse the more exact results of records. A function without an original has JSONata's notation alone.
    signature: builtin === undefined ? parseSignature(signature) : builtin.signature,
  };
}

/** A function that checks its arguments with `refuse` before each call. */
function restricted(definition: FunctionDefinition, refuse: Restriction["refuse"]): FunctionDefinition {
  const { invoke } = definition;
  if (invoke !== undefined)
    return {
      ...definition,
      invoke(guard, values, context) {
        refuse(values);
        return invoke(guard, values, context);
      },
    };
  const original = nativeOf(definition).implementation as Call;
  const implementation: Call = function (...values) {
    refuse(values);
    return original.apply(this, values);
  };
  return {
    ...definition,
    implementation: Object.defineProperty(implementation, "length", { value: original.length }),
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
