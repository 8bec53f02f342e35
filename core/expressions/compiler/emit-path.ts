// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, type AstStage, textOf } from "../jsonata-ast.ts";
import { boundIn } from "./bound-names.ts";
import type { Emitter } from "./emitter.ts";
import { type Code, NotCompiled, type Place } from "./place.ts";

/** A step as the parser leaves it, with what makes a stream of tuples of a path. */
interface Step extends AstNode {
  readonly tuple?: boolean;
  readonly consarray?: boolean;
  readonly ancestor?: { readonly label: string };
}

interface Path extends AstNode {
  readonly tuple?: boolean;
}

/** Names that objects and arrays inherit, that flag a sequence, or that others look for to learn what an object is. */
const CAREFUL: ReadonlySet<string> = new Set([
  ...[Object.prototype, Array.prototype].flatMap((prototype) => Object.getOwnPropertyNames(prototype)),
  ..."sequence keepSingleton cons outerWrapper tupleStream signature token position thunk arity then next toJSON".split(
    " ",
  ),
]);

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

/** The names of a path that is nothing else; undefined for any other. */
export function plainNames(node: Path): readonly string[] | undefined {
  if (node.type !== "path" || hasExtras(node)) return undefined;
  const steps = (node.steps ?? []) as readonly Step[];
  return steps.every(isPlainName) ? steps.map(textOf) : undefined;
}

function hasExtras(node: AstNode): boolean {
  return (
    node.group !== undefined ||
    node.keepSingletonArray === true ||
    node.keepArray === true ||
    node.predicate !== undefined
  );
}

function isPlainName(step: Step): boolean {
  return (
    step.type === "name" &&
    step.stages === undefined &&
    !hasExtras(step) &&
    step.tuple !== true &&
    step.focus === undefined &&
    step.index === undefined
  );
}

/** The names of a path that is nothing else, but for a `[]` at its end. */
function namesToList(node: Path): readonly string[] | undefined {
  const steps = (node.steps ?? []) as readonly Step[];
  const last = steps[steps.length - 1];
  if (last?.keepArray !== true || node.group !== undefined || node.predicate !== undefined) return undefined;
  const plain = [...steps.slice(0, -1), { ...last, keepArray: false }];
  return plain.every(isPlainName) ? steps.map(textOf) : undefined;
}

function emitToList(emitter: Emitter, names: readonly string[], place: Place): string {
  const value = place.scope.variable();
  const found = follow(emitter, place.context, names, place, "R.followToList");
  return `(${value}=${found},Array.isArray(${value})&&${value}.cons!==true?${value}:R.listOf(${value}))`;
}

/** One property of a context, which is most often no array. Not settled. */
export function emitName(emitter: Emitter, name: string, place: Place): string {
  const context = emitter.contextOf(place);
  const slowly = `R.lookup(G,${context},${JSON.stringify(name)})`;
  if (context !== place.context || isCareful(name)) return slowly;
  const value = place.scope.variable();
  const found = `(${value}=${context}[${JSON.stringify(name)}])!==undefined?${value}`;
  return `(typeof ${context}!=="object"||${context}===null?undefined:${found}:Array.isArray(${context})?${slowly}:undefined)`;
}

function namesAfterVariable(node: Path): readonly string[] | undefined {
  const [first, ...rest] = (node.steps ?? []) as readonly Step[];
  if (hasExtras(node) || first?.type !== "variable" || rest.length === 0) return undefined;
  if (
    first.stages !== undefined ||
    hasExtras(first) ||
    first.tuple === true ||
    first.focus !== undefined ||
    first.index !== undefined
  )
    return undefined;
  return rest.every(isPlainName) ? rest.map(textOf) : undefined;
}

function emitFromVariable(
  emitter: Emitter,
  steps: readonly Step[],
  names: readonly string[],
  place: Place,
): string {
  const variable = textOf(steps[0] as Step);
  // `$` and `$$` are the input, read no further than the names say.
  if (emitter.options.reads !== undefined && (variable === "$" || (variable === "" && place.isRoot)))
    return emitter.options.reads.path(emitter, names);
  const value = place.scope.variable();
  const text = emitter.emit(steps[0] as Step, place).text;
  return `(${value}=${text},${follow(emitter, value, names, place, "R.followFrom")})`;
}

/**
 * Properties one after another, for as long as they are objects: an array on the way is walked by the runtime.
 * A name that no object inherits is read as it is: what has no such property gives no value either way.
 */
export function follow(
  emitter: Emitter,
  value: string,
  names: readonly string[],
  place: Place,
  slowly = "R.followNames",
): string {
  if (names.some(isCareful)) return `${slowly}(G,${value},${emitter.constant(names)})`;
  const slow = (from: string, index: number): string =>
    `R.followArray(G,${from},${emitter.constant(names.slice(index))},${index > 0 && slowly === "R.followFrom" ? "R.followNames" : slowly})`;
  const at = (from: string, index: number): string => {
    if (index === names.length) return from;
    const next = place.scope.variable();
    const key = JSON.stringify(names[index]);
    return (
      `(typeof ${from}!=="object"||${from}===null?undefined:` +
      `(${next}=${from}[${key}])===undefined?${slow(from, index)}:${at(next, index + 1)})`
    );
  };
  return at(value, 0);
}

function isCareful(name: string): boolean {
  return CAREFUL.has(name) || /^[0-9]+$/.test(name);
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
  const prefix = Math.min(countPlainNames(steps), steps.length - 1);
  const names = steps.slice(0, prefix).map(textOf);
  let text: string;
  // An empty array that is written out is the result, whatever steps follow.
  let before = "";
  if (prefix > 0 && place.isRoot && reads !== undefined) text = reads.sequence(emitter, names);
  else if (prefix > 0 && take === "stepOnce")
    text = follow(emitter, place.context, names, place, "R.walkNames");
  else if (prefix > 0) text = `R.walkNames(G,${place.context},${emitter.constant(names)},false)`;
  else if (isFreeStart(first) && take === "stepOnce") text = emitter.contextOf(place);
  else text = start(emitter, first, place);
  if (prefix > 0 && take === "takeStep") text = `R.sequenceOf(${text})`;
  for (let index = prefix; index < steps.length; index++) {
    const step = steps[index] as Step;
    if (index === 0 && step.consarray === true) {
      const made = place.scope.variable();
      before = `(${made}=${consStep(emitter, step, text, place)},R.endsPath(${made}))?${made}:`;
      text = made;
    } else {
      const enter = index === 0 && isFreeStart(first) && take === "stepOnce" ? "stepFirst" : take;
      text = plainStep(emitter, step, text, index === steps.length - 1, place, enter);
    }
  }
  if (before !== "") text = `(${before}${text})`;
  if (node.keepSingletonArray === true) text = `R.keepSingleton(${text})`;
  return node.group === undefined ? text : emitter.group(text, node.group, place);
}

/** A first step that is taken from the context as it is. */
function isFreeStart(first: Step): boolean {
  return first.type !== "variable" && first.consarray !== true;
}

function start(emitter: Emitter, first: Step, place: Place): string {
  // Of a variable the context is one item.
  if (first.type !== "variable") return `R.startPath(${emitter.contextOf(place)})`;
  if (textOf(first) !== "") return `[${emitter.contextOf(place)}]`;
  // Its predicates are part of the step, which is yet to be taken.
  return `[${emitter.emit({ type: "variable", value: "" }, place).text}]`;
}

function countPlainNames(steps: readonly Step[]): number {
  const index = steps.findIndex((step) => !isPlainName(step));
  return index < 0 ? steps.length : index;
}

/** An array that is written as the first step: it is not made anew for each item of the context. */
function consStep(emitter: Emitter, step: Step, input: string, place: Place): string {
  if (emitter.options.reads !== undefined && place.isRoot) return emitter.emit(step, place).text;
  return `(${emitter.arrow(place, undefined, (inner) => emitter.emit(step, inner).text)})(${input})`;
}

function plainStep(
  emitter: Emitter,
  step: Step,
  input: string,
  last: boolean,
  place: Place,
  take: "takeStep" | "stepOnce" | "stepFirst",
): string {
  if (step.type === "sort") {
    // Where nothing has come so far nothing is put in order, nor filtered then.
    const given = place.scope.variable();
    const ordered = filtered(emitter, step.stages ?? [], sorted(emitter, step, given, place), place);
    return `((${given}=${input})===undefined||${given}.length===0?undefined:${ordered})`;
  }
  const write = (inner: Place): string =>
    filtered(emitter, step.stages ?? [], emitter.emit(step, inner).text, inner);
  // What is read through something that notes it is no array.
  if (take === "stepFirst" && place.isRoot && emitter.options.reads !== undefined)
    return `R.laidFlat(${write(place)},${last})`;
  return `R.${take}(G,${input},${emitter.arrow(place, undefined, write)},${last})`;
}

function filtered(emitter: Emitter, stages: readonly AstStage[], input: string, place: Place): string {
  return stages.reduce((text, stage) => emitter.filter(text, stage.expr as AstNode, place), input);
}

function sorted(
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

/** A path with `@`, `#` or `%` in it: from the first such step on, each item carries what is bound to it. */
function tuplePath(emitter: Emitter, node: Path, place: Place): string {
  const steps = (node.steps ?? []) as readonly Step[];
  if (boundIn({ ...node, type: "path" }).size > 0)
    throw new NotCompiled("binds a name in a path with tuples");
  const names = new Set<string>();
  const begin = steps.findIndex((step) => step.tuple === true);
  let text = start(emitter, steps[0] as Step, place);
  if ((steps[0] as Step).consarray === true) throw new NotCompiled("an array at the start of tuples");
  for (const step of steps.slice(0, begin)) text = plainStep(emitter, step, text, false, place, "takeStep");
  // Where nothing has come so far there is no stream: a group makes an object of nothing.
  const before = place.scope.variable();
  const given = text;
  text = before;
  let isStream = false;
  for (const step of steps.slice(begin)) {
    text = tupleStep(emitter, step, text, isStream, names, place);
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
    const form = emitter.constant({ focus, index, ancestor: ancestor?.label });
    text = `R.takeTupleStep(G,${stream},${emitter.step(step, place, seen)},${form})`;
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

/** The labels of ancestors that a step's own path hands on. */
export function labelsIn(step: Step): string[] {
  const inner = step.type === "block" ? (step.expressions ?? []).slice(-1) : (step.steps ?? []);
  return [
    ...(step.ancestor === undefined ? [] : [step.ancestor.label]),
    ...(inner as readonly Step[]).flatMap((part) => [
      ...labelsIn(part),
      ...[part.focus, part.index].filter((name) => name !== undefined),
    ]),
  ];
}
