// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A name that the expression binds, and its JavaScript variable. */
export interface Variable {
  readonly code: string;
  /** Whether the variable has a value in all later code. Before, the name may refer to an outer variable. */
  bound: boolean;
}

/** Code that unbinds the variables before each run of the block. */
export function resetOf(variables: ReadonlyMap<string, Variable>): string {
  return [...variables.values()].map(({ code }) => `${code}=U,`).join("");
}

/** The variables of the JavaScript function that the emitter is writing. */
export class FunctionScope {
  readonly #variables: string[] = [];
  readonly #next: () => number;

  constructor(next: () => number) {
    this.#next = next;
  }

  variable(prefix = "t"): string {
    const name = `${prefix}${this.#next()}`;
    this.#variables.push(name);
    return name;
  }

  inner(): FunctionScope {
    return new FunctionScope(this.#next);
  }

  /** The body of the function, which returns `code`. */
  body(code: string): string {
    return `{${this.statements(code)}}`;
  }

  statements(code: string): string {
    const declared = this.#variables.length === 0 ? "" : `let ${this.#variables.join(",")};`;
    return `${declared}return ${code}`;
  }

  unique(prefix: string): string {
    return `${prefix}${this.#next()}`;
  }
}

/** A scope of names: the variables of a block or of a lambda, or the bindings of the current tuple. */
export type Frame =
  | {
      readonly kind: "variables";
      readonly variables: Map<string, Variable>;
      readonly outer: Frame | undefined;
    }
  | {
      readonly kind: "tuple";
      readonly tuple: string;
      readonly names: ReadonlySet<string>;
      readonly outer: Frame | undefined;
    };

/**
 * The surroundings of the code that the emitter is writing: context, scope, and the operator that claims
 * errors.
 */
export interface Place {
  /** The JavaScript variable that holds the context. */
  readonly context: string;
  /** Whether `context` is the root context. */
  readonly isRoot: boolean;
  /** The JavaScript variable of the current tuple. */
  readonly tuple: string;
  readonly frame: Frame;
  readonly scope: FunctionScope;
  /** The operator that claims the errors of the code: see CallSite. */
  readonly claimedBy: { readonly position: number; readonly token: string } | undefined;
  /**
   * Depth in nodes within the function that the emitter is writing, counted as the reference counts depth.
   */
  readonly level: number;
}

/** The static type of the code's value, where it is known: `boolean?` may be absent. */
export type Kind = "boolean" | "boolean?" | "string" | "number?" | "any";

export interface Code {
  readonly text: string;
  readonly kind: Kind;
}

export function any(text: string): Code {
  return { text, kind: "any" };
}

/** Characters of code that count as one step: each turn of a loop is charged by the length of its body. */
const CODE_PER_STEP = 1_000;

/** Steps of one turn of a loop with the body `code`, in addition to the turn's own step. */
export function stepsOf(code: string): number {
  return Math.floor(code.length / CODE_PER_STEP);
}

/** The reason why an expression is not compiled but interpreted. */
export class NotCompiled extends Error {
  override readonly name = "NotCompiled";
}
