// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type FunctionType, functionType } from "./function-type.ts";
import { FUNCTIONS } from "./functions.ts";

/** The types of every function's arguments and result, by name without the `$`. */
export const FUNCTION_TYPES: ReadonlyMap<string, FunctionType> = new Map(
  [...FUNCTIONS].map(([name, { signature }]) => [name, functionType(signature)]),
);

/** Whether a call of `name` with `given` arguments may read the context. */
export function readsContext(name: string, given: number): boolean {
  return given < (FUNCTIONS.get(name)?.contextBelow ?? requiredWithContext(FUNCTION_TYPES.get(name)));
}

function requiredWithContext(type: FunctionType | undefined): number {
  return type?.parameters[0]?.contextual === true ? requiredArguments(type) : 0;
}

/** The smallest number of arguments, including one that the context may replace. */
export function requiredArguments({ parameters }: FunctionType): number {
  return parameters.filter(({ optional }) => !optional).length;
}

/** Whether `name` gives no value when its first argument is absent; false for names without a function. */
export function isStrict(name: string): boolean {
  const definition = FUNCTIONS.get(name);
  return definition !== undefined && definition.takesAbsent !== true;
}

/** Whether the value of an expression that mentions these names depends on its input alone. */
export function isConstantFor(names: Iterable<string>): boolean {
  return [...names].every((name) => FUNCTIONS.get(name)?.varies === undefined);
}
