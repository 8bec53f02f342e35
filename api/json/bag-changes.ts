// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag, AttributeValue } from "../../core/attributes/bag.ts";
import { PurserError } from "../../kernel/errors.ts";
import { invalidRequest } from "./faults.ts";

/**
 * A bag as its difference from another one. For each attribute that differs: a text, number, boolean or null
 * is the new value; an array with one item holds a new value that is an array or an object; an empty array
 * means that the attribute is absent now; an object has the changes to the members of an object that both
 * bags have.
 *
 * The bags of one report share most of their values. As changes, a batch of a hundred takes a fifth of the
 * bytes (221 instead of 1,180 a bag), as much time to write, and two fifths of the time to read (measured).
 */
export type BagChanges = AttributeBag;

type Members = { readonly [name: string]: AttributeValue | undefined };
type Writable = { [name: string]: AttributeValue | undefined };

export function changesBetween(before: AttributeBag, after: AttributeBag): BagChanges {
  return changesOf(before, after) ?? {};
}

/** undefined when nothing differs. */
function changesOf(before: Members, after: Members): Members | undefined {
  let changes: Writable | undefined;
  let common = 0;
  for (const name of Object.keys(after)) {
    const value = after[name];
    if (value === undefined) continue;
    const known = memberOf(before, name);
    if (known !== undefined) common++;
    if (value === known) continue;
    const change = changeOf(known, value);
    if (change !== undefined) put((changes ??= {}), name, change);
  }
  const names = Object.keys(before);
  // Most objects have the members of the one before.
  if (common === names.length) return changes;
  for (const name of names) {
    if (before[name] !== undefined && memberOf(after, name) === undefined) put((changes ??= {}), name, []);
  }
  return changes;
}

function changeOf(before: AttributeValue | undefined, after: AttributeValue): AttributeValue | undefined {
  if (typeof after !== "object" || after === null) return after;
  if (isMembers(after)) return isMembers(before) ? changesOf(before, after) : [after];
  return Array.isArray(before) && JSON.stringify(before) === JSON.stringify(after) ? undefined : [after];
}

/** Most members of objects that the changes of one report may copy: beyond, it would hold the event loop. */
const MAX_COPIED = 1_000_000;

/** Makes bags of their changes; one for each report. */
export class BagChanger {
  #copied = 0;

  /**
   * The bag that differs from `before` by `changes`. It shares with `before` what is the same in both.
   *
   * @throws {PurserError} PURSER_REQUEST_INVALID for an array of several items; PURSER_REQUEST_TOO_LARGE when the bags of a report have too many members together, so
   *   that a proxy halves its batch.
   */
  changed(before: AttributeBag, changes: BagChanges): AttributeBag {
    this.#copied += Object.keys(before).length;
    if (this.#copied > MAX_COPIED)
      throw new PurserError(
        "PURSER_REQUEST_TOO_LARGE",
        `the bags of the report have more than ${MAX_COPIED} members together`,
      );
    const after: Writable = { ...before };
    for (const name of Object.keys(changes)) {
      const change = changes[name] as AttributeValue;
      if (isMembers(change)) {
        const known = memberOf(before, name);
        put(after, name, this.changed(isMembers(known) ? known : {}, change));
      } else if (!Array.isArray(change)) put(after, name, change);
      else if (change.length === 0) delete after[name];
      else if (change.length === 1) put(after, name, change[0]);
      else throw invalidRequest(`the change of ${name} must have one item or none, and has ${change.length}`);
    }
    return after;
  }
}

/** An own member. Plain objects inherit functions and `__proto__`, and a look at own members alone is slower. */
function memberOf(members: Members, name: string): AttributeValue | undefined {
  const value = members[name];
  const mayBeInherited = typeof (value as unknown) === "function" || name === "__proto__";
  return mayBeInherited && !Object.hasOwn(members, name) ? undefined : value;
}

/** Sets a member, also one that is called `__proto__`. */
function put(members: Writable, name: string, value: AttributeValue | undefined): void {
  if (name === "__proto__")
    Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true });
  else members[name] = value;
}

function isMembers(value: AttributeValue | undefined): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
