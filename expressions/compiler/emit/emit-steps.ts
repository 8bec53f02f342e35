// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, type AstStage, textOf } from "../../syntax/ast.ts";
import type { Emitter } from "../emitter.ts";
import type { Step } from "../../syntax/path-node.ts";
import type { Place } from "../place.ts";

/** Code for the sequence that the first step is taken from. */
export function start(emitter: Emitter, first: Step, place: Place): string {
  // For a variable, the context counts as one item.
  if (first.type !== "variable") return `R.startPath(${emitter.contextOf(place)})`;
  if (textOf(first) !== "") return `[${emitter.contextOf(place)}]`;
  // Its predicates are part of the step, which is yet to be taken.
  return `[${emitter.emit({ type: "variable", value: "" }, place).text}]`;
}

/** A step that binds nothing, with its predicates. */
export function plainStep(
  emitter: Emitter,
  step: Step,
  input: string,
  last: boolean,
  place: Place,
  take: "takeStep" | "stepOnce" | "stepFirst" | "stepAfterSort",
): string {
  if (step.type === "sort") {
    // An empty input is neither sorted nor filtered.
    const given = place.scope.variable();
    const ordered = filtered(emitter, step.stages ?? [], sorted(emitter, step, given, place), place);
    return `((${given}=${input})===undefined||${given}.length===0?${given}:${ordered})`;
  }
  const write = (inner: Place): string =>
    filtered(emitter, step.stages ?? [], emitter.emit(step, inner).text, inner);
  // The root of recorded reads is an object: a bag, never an array.
  if (take === "stepFirst" && place.isRoot && emitter.options.reads !== undefined)
    return `R.laidFlat(${write(place)},${last})`;
  return `R.${take}(G,${input},${emitter.arrow(place, undefined, write)},${last})`;
}

export function filtered(emitter: Emitter, stages: readonly AstStage[], input: string, place: Place): string {
  return stages.reduce((text, stage) => emitter.filter(text, stage.expr as AstNode, place), input);
}

export function sorted(
  emitter: Emitter,
  step: Step,
  input: string,
  place: Place,
  names?: ReadonlySet<string>,
): string {
  const terms = (step.terms ?? []) as readonly {
    readonly expression: AstNode;
    readonly descending?: boolean;
  }[];
  const written = terms.map(
    ({ expression, descending }) =>
      `{valueOf:${emitter.step(expression, place, names)},descending:${descending === true}}`,
  );
  const position = place.claimedBy?.position ?? step.position ?? 0;
  return `R.orderBy(G,${input},[${written.join(",")}],${position},${place.tuple})`;
}
