// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A function that Purser adds to JSONata's for the policies of a gateway. */
export interface GatewayFunction {
  /** Without the `$`. */
  readonly name: string;
  /** In JSONata's notation: `<s-s:b>` takes two strings, the first of them from the context if only one is given. */
  readonly signature: string;
  /**
   * Synchronous, and depends on its arguments alone. An absent argument that is not optional gives undefined.
   *
   * @throws {ExpressionError} D4xxx (`GATEWAY_FAULTS`) for what the author of an expression wrote wrongly, and for what
   * exceeds a limit. Malformed data of a request gives false or undefined.
   */
  readonly implementation: (...args: never[]) => unknown;
  readonly summary: string;
  readonly returns: "boolean" | "string" | "number" | "array" | "object" | "any";
  readonly parameters: readonly string[];
  readonly examples: readonly {
    readonly expression: string;
    /** Undefined for no value. */
    readonly result: unknown;
  }[];
  /**
   * For arguments after the first that are known when the expression is compiled: the function of the first argument
   * alone. Undefined when they have not the types or the number that it takes.
   *
   * @throws {ExpressionError} as `implementation` would.
   */
  readonly prepare?: (constantArgs: readonly unknown[]) => ((...args: never[]) => unknown) | undefined;
}
