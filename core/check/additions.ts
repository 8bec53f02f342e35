// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type RefusedAttribute, refusalOf } from "../attributes/added-attributes.ts";
import { type AttributeBag, type AttributeValue, valueAt } from "../attributes/bag.ts";
import { Reads } from "../../expressions/runtime/reads/reads.ts";
import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import type { Meter } from "../../expressions/runtime/reads/meter.ts";
import type { AttributeAdditions } from "../hooks/hooks.ts";
import { attempt, chain, type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import { describeType, Fault, faultOfHandler } from "./evaluation.ts";
import type { AttributeSource } from "./ports.ts";

/** A bag with plugins' attributes, and the reads of the original bag. */
export interface Reading {
  readonly reads: Reads;
  references(): readonly AttributeReference[];
}

/** Receives the failures of sources, and the attributes that are left out. */
export interface AdditionEvents {
  readonly fault: (source: AttributeSource, fault: Fault) => void;
  readonly refused: (source: AttributeSource, refused: RefusedAttribute) => void;
}

/**
 * Lets each source add attributes, in order, each with the additions of earlier ones. Their reads are
 * recorded like those of expressions: a proxy that reuses the decision has only the original attributes, not
 * the additions.
 */
export function readWithAdditions(
  bag: AttributeBag,
  sources: readonly AttributeSource[],
  events: AdditionEvents,
  spent?: Meter,
): MaybePromise<Reading> {
  const first = new Reads(bag, spent);
  if (sources.length === 0) return { reads: first, references: () => first.references() };
  const all = [first];
  let complete = bag;
  const added = reduceInOrder(sources, first, (reads, source) =>
    chain(
      attempt<readonly Addition[] | Fault>(
        () => chain(source.add(reads.view), (additions) => declaredIn(source, additions, events)),
        faultOfHandler,
      ),
      (additions) => {
        if (additions instanceof Fault) events.fault(source, additions);
        if (additions instanceof Fault || additions.length === 0) return reads;
        complete = addAttributes(complete, additions);
        const next = new Reads(complete, reads);
        all.push(next);
        return next;
      },
    ),
  );
  return chain(added, (reads) => ({
    reads,
    references: () =>
      referencesOf(
        bag,
        all.flatMap((each) => each.references()),
      ),
  }));
}

type Addition = readonly [name: string, value: AttributeValue];

/** The additions that the manifest declares; the others are reported. */
function declaredIn(
  source: AttributeSource,
  additions: AttributeAdditions | undefined,
  events: AdditionEvents,
): readonly Addition[] | Fault {
  if (additions === undefined) return [];
  // The plugin is a module of its author, which the compiler may not have checked.
  if (typeof additions !== "object" || additions === null || Array.isArray(additions)) {
    const detail = `the tap of "attributes" returned ${describeType(additions)} where an object or undefined is needed`;
    return new Fault("PURSER_HANDLER_FAILED", detail, false);
  }
  return Object.entries(additions).filter(([name, value]) => {
    if (value === undefined) return false;
    const refused = refusalOf(source.manifest, name, value);
    if (refused !== undefined) events.refused(source, refused);
    return refused === undefined;
  });
}

/** References to the original bag, each once; an added attribute is absent there. */
function referencesOf(
  bag: AttributeBag,
  references: readonly AttributeReference[],
): readonly AttributeReference[] {
  const unique = new Map<string, AttributeReference>();
  for (const reference of references) {
    const { path } = reference;
    const key = JSON.stringify(path);
    if (valueAt(bag, path) === undefined) unique.set(key, { path, condition: "ABSENCE" });
    else if (unique.get(key)?.condition !== "EXACT") unique.set(key, reference);
  }
  return [...unique.values()];
}

/** A bag with `additions`, by dotted name; existing attributes are kept. Unchanged parts are shared. */
function addAttributes(bag: AttributeBag, additions: readonly Addition[]): AttributeBag {
  return additions.reduce(
    (result, [name, value]) => addAt(result, name.split("."), value) as AttributeBag,
    bag,
  );
}

type Branch = { readonly [key: string]: AttributeValue | undefined };

function addAt(branch: Branch, [step, ...rest]: readonly string[], value: AttributeValue): Branch {
  if (step === undefined) return branch;
  const present = Object.hasOwn(branch, step) ? branch[step] : undefined;
  if (rest.length === 0) return present === undefined ? { ...branch, [step]: value } : branch;
  if (present === undefined) return { ...branch, [step]: addAt({}, rest, value) };
  if (typeof present !== "object" || present === null || Array.isArray(present)) return branch;
  return { ...branch, [step]: addAt(present as Branch, rest, value) };
}
