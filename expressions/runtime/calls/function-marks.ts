// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The members by which JSONata knows the objects that are functions. */
export const FUNCTION_MARKS: readonly string[] = ["_jsonata_lambda", "_jsonata_function"];

/**
 * Whether a member would make a function of its object. Data from a request must not have it; a member of the name with any
 * other value stays, so that a header or a query parameter cannot hide by its name.
 */
export function isFunctionMark(name: string, value: unknown): boolean {
  return value === true && FUNCTION_MARKS.includes(name);
}

/** Whether `value` is a function to JSONata. */
export function isFunction(value: unknown): boolean {
  return (
    typeof value === "function" || (typeof value === "object" && value !== null && isFunctionObject(value))
  );
}

/** Whether an object carries one of JSONata's function marks. A view of the request never does. */
export function isFunctionObject(value: object): boolean {
  const marks = value as { readonly _jsonata_lambda?: unknown; readonly _jsonata_function?: unknown };
  return marks._jsonata_lambda === true || marks._jsonata_function === true;
}
