// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../syntax/ast.ts";
import type { CompiledFunction } from "../runtime/callee.ts";
import { siteOf, takesContext } from "./call-site.ts";
import type { Emitter } from "./emitter.ts";
import type { Place } from "./place.ts";

/** A call that is being written: what it calls when its values are not what was hoped for. */
export class QuickCall {
  readonly emitter: Emitter;
  readonly name: string;
  readonly node: AstNode;
  readonly place: Place;

  constructor(emitter: Emitter, name: string, node: AstNode, place: Place) {
    this.emitter = emitter;
    this.name = name;
    this.node = node;
    this.place = place;
  }

  get values(): readonly AstNode[] {
    return this.node.arguments ?? [];
  }

  slowly(...given: readonly string[]): string {
    const known = this.emitter.functionOf(this.name, this.place) as CompiledFunction;
    const site = this.emitter.constant(siteOf(this.node, this.place));
    const context = takesContext(known, given.length) ? this.emitter.contextOf(this.place) : "undefined";
    return `R.callNamed(G,${this.emitter.constant(known)},[${given.join(",")}],${context},${site})`;
  }

  /** A value in a variable of its own, and the code that puts it there. */
  hold(value: AstNode): readonly [name: string, set: string] {
    const variable = this.place.scope.variable();
    return [variable, `${variable}=${this.emitter.emit(value, this.place).text}`];
  }
}

/** Without its first value a function gives none: `otherwise` is for when there is one. The others must not be wrong. */
export function orAbsent(value: string, otherwise: string, others: readonly string[] = []): string {
  const areTexts = others.map((other) => `&&typeof ${other}==="string"`).join("");
  return `${value}===undefined${areTexts}?undefined:${otherwise}`;
}
