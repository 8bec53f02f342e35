// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Whether JSONata would call `value`. */
export function isFunction(value: unknown): boolean {
  return (
    typeof value === "function" || (typeof value === "object" && value !== null && isFunctionObject(value))
  );
}

/** Whether an object carries one of JSONata's marks of a function. A view of the request never does. */
export function isFunctionObject(value: object): boolean {
  const marks = value as { readonly _jsonata_lambda?: unknown; readonly _jsonata_function?: unknown };
  return marks._jsonata_lambda === true || marks._jsonata_function === true;
}
