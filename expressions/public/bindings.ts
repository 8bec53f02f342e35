// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Environment } from "../compiler/compile-ast.ts";
import { fromHost } from "../runtime/calls/callee.ts";

/** Variables and functions by name, without the `$`. */
export type Bindings = Readonly<Record<string, unknown>>;

/** The values of the names that an expression does not bind itself. */
export class Variables implements Environment {
  readonly fixed: Bindings;
  readonly given: Bindings;

  constructor(fixed: Bindings, given: Bindings) {
    this.fixed = fixed;
    this.given = given;
  }

  variable(name: string): unknown {
    if (Object.hasOwn(this.given, name)) return fromHost(this.given[name]);
    return Object.hasOwn(this.fixed, name) ? fromHost(this.fixed[name]) : undefined;
  }
}

/** Whether `value` is declared as an async function. */
export function isAsync(value: unknown): boolean {
  return typeof value === "function" && Object.prototype.toString.call(value) === "[object AsyncFunction]";
}
