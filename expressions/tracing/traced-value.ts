// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { behindView } from "../runtime/reads/recorder.ts";
import { isFunction, isFunctionObject } from "../runtime/calls/function-marks.ts";

/** The truth of a value for JSONata's `and`, `or`, `?` and `$not`: its $boolean, and false for no value. Reads no view. */
export function truthOf(value: unknown): boolean {
  if (typeof value === "string") return value !== "";
  if (typeof value === "number") return value !== 0;
  if (typeof value === "boolean") return value;
  if (typeof value !== "object" || value === null || isFunctionObject(value)) return false;
  if (Array.isArray(value)) return value.some(truthOf);
  const plain = behindView(value) as Readonly<Record<string, unknown>>;
  return Object.keys(plain).some((key) => plain[key] !== undefined);
}

/** Whether a value that a watcher is given is a function: a JavaScript one, or an object that stands for one. */
export function isTracedFunction(value: unknown): boolean {
  return isFunction(value);
}
