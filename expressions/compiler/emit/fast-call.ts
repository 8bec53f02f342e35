// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../../syntax/ast.ts";
import type { CompiledFunction } from "../../runtime/calls/callee.ts";
import { siteOf, takesContext } from "../call-site.ts";
import type { Emitter } from "../emitter.ts";
import type { Place } from "../place.ts";

/** A call of a known function for which a fast path is written, with the call itself for arguments that it does not fit. */
export class FastCall {
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

  get callee(): CompiledFunction {
    return this.emitter.functionOf(this.name, this.place) as CompiledFunction;
  }

  /** The name of the constant that holds the call's place, for its errors. */
  site(): string {
    return this.emitter.constant(siteOf(this.node, this.place));
  }

  /** Code for the call itself, with these arguments. */
  slowly(...given: readonly string[]): string {
    const { callee } = this;
    const site = this.site();
    const context = takesContext(callee, given.length) ? this.emitter.contextOf(this.place) : "undefined";
    return `R.callNamed(G,${this.emitter.constant(callee)},[${given.join(",")}],${context},${site})`;
  }

  /** An argument in a variable of its own, and the code that puts it there. */
  hold(value: AstNode): readonly [name: string, set: string] {
    const variable = this.place.scope.variable();
    return [variable, `${variable}=${this.emitter.emit(value, this.place).text}`];
  }
}

/**
 * Code of a call that gives no value when its first argument is absent.
 * @param otherwise Code for a first argument that is present.
 * @param othersFit Tests of the other arguments: an argument of a wrong type is an error even then (T0410).
 */
export function orAbsent(value: string, otherwise: string, othersFit: readonly string[] = []): string {
  return `${[`${value}===undefined`, ...othersFit].join("&&")}?undefined:${otherwise}`;
}
