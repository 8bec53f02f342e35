// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, type AstStage, textOf } from "../../syntax/ast.ts";
import { boundIn } from "../node-facts.ts";
import { plainStep, sorted, start } from "./emit-steps.ts";
import type { Emitter } from "../emitter.ts";
import { labelsIn, type Path, type Step } from "../../syntax/path-node.ts";
import { NotCompiled, type Place } from "../place.ts";

/** A path with `@`, `#` or `%` in it: from the first such step on, each item carries what is bound to it. */
export function tuplePath(emitter: Emitter, node: Path, place: Place): string {
  const steps = (node.steps ?? []) as readonly Step[];
  if (boundIn({ ...node, type: "path" }).size > 0)
    throw new NotCompiled("binds a name in a path with tuples");
  const names = new Set<string>();
  const begin = steps.findIndex((step) => step.tuple === true);
  const first = steps[0] as Step;
  // `$` of an array that is the whole input: what is bound to it keeps the wrapper that makes one item of it.
  const bindsInput = begin === 0 && first.type === "variable" && textOf(first) === "";
  if (bindsInput && first.predicate !== undefined) throw new NotCompiled("binds a part of the input");
  let text = bindsInput ? `[${emitter.contextOf(place)}]` : start(emitter, first, place);
  if (first.consarray === true) throw new NotCompiled("an array at the start of tuples");
  for (const step of steps.slice(0, begin)) text = plainStep(emitter, step, text, false, place, "takeStep");
  // Where nothing has come so far there is no stream: a group makes an object of nothing.
  const before = place.scope.variable();
  const given = text;
  text = before;
  let isStream = false;
  for (const step of steps.slice(begin)) {
    text = tupleStep(emitter, step, text, isStream, names, place, bindsInput && !isStream);
    isStream = true;
  }
  if (node.tuple !== true && node.group === undefined) text = `R.contextsOf(${text})`;
  if (begin > 0) text = `((${before}=${given})===undefined||${before}.length===0?${before}:${text})`;
  else text = `(${before}=${given},${text})`;

  if (node.keepSingletonArray === true) text = `R.keepSingleton(${text})`;
  return node.group === undefined ? text : emitter.group(text, node.group, place, new Set(names));
}

function tupleStep(
  emitter: Emitter,
  step: Step,
  input: string,
  isStream: boolean,
  names: Set<string>,
  place: Place,
  bindsInput: boolean,
): string {
  const seen = new Set(names);
  const { focus, index, ancestor } = step;
  for (const name of [focus, index, ancestor?.label]) if (name !== undefined) names.add(name);
  if (step.type === "name" || step.type === "wildcard" || step.type === "path" || step.type === "block")
    for (const label of labelsIn(step)) names.add(label);
  for (const stage of step.stages ?? []) if (stage.type === "index") names.add(textOf(stage));
  let text: string;
  if (step.type === "sort") {
    const order = sorted(emitter, step, input, place, isStream ? seen : undefined);
    text = isStream ? order : `R.numberTuples(${order},${JSON.stringify(index)})`;
  } else {
    const stream = isStream ? input : `R.tuplesOf(${input})`;
    const valueOf = bindsInput ? "R.contextValue" : emitter.step(step, place, seen);
    const form = emitter.constant({ focus, index, ancestor: ancestor?.label });
    text = `R.takeTupleStep(G,${stream},${valueOf},${form})`;
  }
  const stages = (step.stages ?? []).map((stage) => writeStage(emitter, stage, new Set(names), place));
  return stages.length === 0 ? text : `R.applyStages(G,${text},[${stages.join(",")}])`;
}

function writeStage(emitter: Emitter, stage: AstStage, names: ReadonlySet<string>, place: Place): string {
  if (stage.type === "index") return `{kind:"index",name:${JSON.stringify(textOf(stage))}}`;
  const predicate = stage.expr as AstNode;
  if (predicate.type === "number") return `{kind:"at",index:${String(predicate.value)}}`;
  return `{kind:"filter",predicate:${emitter.step(predicate, place, names)}}`;
}
