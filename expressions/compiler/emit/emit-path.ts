// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { textOf } from "../../syntax/ast.ts";
import { emitFromVariable, emitToList, follow } from "./emit-names.ts";
import { plainStep, start } from "./emit-steps.ts";
import { tuplePath } from "./emit-tuples.ts";
import type { Emitter } from "../emitter.ts";
import {
  countPlainNames,
  namesAfterVariable,
  namesToList,
  type Path,
  plainNames,
  type Step,
} from "../../syntax/path-node.ts";
import type { Code, Place } from "../place.ts";

export function emitPath(emitter: Emitter, node: Path, place: Place): Code {
  const steps = (node.steps ?? []) as readonly Step[];
  const names = plainNames(node);
  const { reads } = emitter.options;
  if (names !== undefined && place.isRoot && reads !== undefined)
    return { text: reads.path(emitter, names), kind: "any" };
  if (names !== undefined) return { text: follow(emitter, place.context, names, place), kind: "any" };
  const toList = namesToList(node);
  if (toList !== undefined && !(place.isRoot && reads !== undefined))
    return { text: emitToList(emitter, toList, place), kind: "any" };
  const fromVariable = namesAfterVariable(node);
  if (fromVariable !== undefined)
    return { text: emitFromVariable(emitter, steps, fromVariable, place), kind: "any" };
  return {
    text: emitter.settle(
      steps.some((step) => step.tuple) ? tuplePath(emitter, node, place) : plainPath(emitter, node, place),
      node,
    ),
    kind: "any",
  };
}

function plainPath(emitter: Emitter, node: Path, place: Place): string {
  const steps = (node.steps ?? []) as readonly Step[];
  const { reads } = emitter.options;
  const first = steps[0] as Step;
  // What groups, sorts or keeps an array of one item, or begins with one that is written out, needs to know a sequence from a value.
  const needsSequences =
    node.keepSingletonArray === true ||
    node.group !== undefined ||
    first.consarray === true ||
    steps.some(({ type }) => type === "sort");
  const take = needsSequences ? "takeStep" : "stepOnce";
  // A first step that is taken from the context as it is.
  const isFree = take === "stepOnce" && first.type !== "variable";
  const prefix = Math.min(countPlainNames(steps), steps.length - 1);
  const names = steps.slice(0, prefix).map(textOf);
  let text: string;
  // An empty array that is written out is the result, whatever steps follow.
  let before = "";
  if (prefix > 0 && place.isRoot && reads !== undefined) text = reads.sequence(emitter, names);
  else if (prefix > 0 && take === "stepOnce")
    text = follow(emitter, place.context, names, place, "R.walkNames");
  else if (prefix > 0) text = `R.walkNames(G,${place.context},${emitter.constant(names)},false)`;
  else if (isFree) text = emitter.contextOf(place);
  else text = start(emitter, first, place);
  if (prefix > 0 && take === "takeStep") text = `R.sequenceOf(${text})`;
  for (let index = prefix; index < steps.length; index++) {
    const step = steps[index] as Step;
    if (index === 0 && step.consarray === true) {
      const made = place.scope.variable();
      before = `(${made}=${consStep(emitter, step, text, place)},R.endsPath(${made}))?${made}:`;
      text = made;
    } else {
      const enter =
        index === 0 && isFree ? "stepFirst" : steps[index - 1]?.type === "sort" ? "stepAfterSort" : take;
      text = plainStep(emitter, step, text, index === steps.length - 1, place, enter);
    }
  }
  if (before !== "") text = `(${before}${text})`;
  if (node.keepSingletonArray === true) text = `R.keepSingleton(${text})`;
  return node.group === undefined ? text : emitter.group(text, node.group, place);
}

/** An array that is written as the first step: it is not made anew for each item of the context. */
function consStep(emitter: Emitter, step: Step, input: string, place: Place): string {
  if (emitter.options.reads !== undefined && place.isRoot) return emitter.emit(step, place).text;
  // `input` is the whole context: at the root, `$` in it is what the wrapper of an array holds.
  const write = (inner: Place): string => emitter.emit(step, { ...inner, isRoot: place.isRoot }).text;
  return `(${emitter.arrow(place, undefined, write)})(${input})`;
}
