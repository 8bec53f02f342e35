// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A name that an expression binds, and the JavaScript variable that holds it. */
export interface Variable {
  readonly code: string;
  /** Whether the variable has a value in all code that follows. Until then, the name may stand for a variable further out. */
  bound: boolean;
}

/** Code that forgets what variables held: they are given values each time. */
export function resetOf(variables: ReadonlyMap<string, Variable>): string {
  return [...variables.values()].map(({ code }) => `${code}=U,`).join("");
}

/** The variables of a JavaScript function that is being written. */
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

  /** The body of the function, which gives `code`. */
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

/** A scope of names: the variables of a block or of a function, or the bindings of the tuple at hand. */
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

/** The surroundings of the code that is being written: its context, its scope, and the operator that reports its errors. */
export interface Place {
  /** The JavaScript variable that holds the context. */
  readonly context: string;
  /** Whether `context` is the context of the whole expression. */
  readonly isRoot: boolean;
  /** The JavaScript variable of the tuple at hand. */
  readonly tuple: string;
  readonly frame: Frame;
  readonly scope: FunctionScope;
  /** The operator that claims the errors of what is written: see CallSite. */
  readonly claimedBy: { readonly position: number; readonly token: string } | undefined;
  /** Depth in nodes within the function that is being written, as the reference counts depth. */
  readonly level: number;
}

/** The type of the code's value, as far as it is known: `boolean?` may have no value. */
export type Kind = "boolean" | "boolean?" | "string" | "number?" | "any";

export interface Code {
  readonly text: string;
  readonly kind: Kind;
}

export function any(text: string): Code {
  return { text, kind: "any" };
}

/** Code that takes as long as a step, in characters: a turn of a loop over more of it is charged for it. */
const CODE_PER_STEP = 1_000;

/** Steps for a turn of a loop whose body is `code`, besides the turn's own. */
export function stepsOf(code: string): number {
  return Math.floor(code.length / CODE_PER_STEP);
}

/** Why an expression is left to the interpreter. */
export class NotCompiled extends Error {
  override readonly name = "NotCompiled";
}
