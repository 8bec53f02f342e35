// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag, AttributeValue } from "./bag.ts";
import { type Group, groupIn } from "./group.ts";
import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";

/**
 * A header or query parameter that came several times. An upstream may use any of its values, or all of them
 * joined, so a decision that reads the field must hold for each value (core/check/decide-each-value.ts).
 */
export interface RepeatedField {
  readonly group: "headers" | "query_params";
  readonly name: string;
  /** In the order of arrival. */
  readonly values: readonly string[];
}

/** The attributes that hold the values of repeated fields. */
const GROUPS = [
  { group: "headers", apart: "repeated_headers" },
  { group: "query_params", apart: "repeated_query_params" },
] as const;

/** Attributes that repeat the value of a header under another name. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["user-agent", "useragent"],
  ["referer", "referer"],
]);

const NONE: readonly RepeatedField[] = [];

/** The request's repeated fields; very few requests have any. */
export function repeatedFields(bag: AttributeBag): readonly RepeatedField[] {
  const request = groupIn(bag["request"]);
  if (request["repeated_headers"] === undefined && request["repeated_query_params"] === undefined)
    return NONE;
  return GROUPS.flatMap(({ group, apart }) =>
    Object.entries(groupIn(request[apart])).flatMap(([name, values]) =>
      isTexts(values) ? [{ group, name, values }] : [],
    ),
  );
}

/** Whether the value at `reference` depends on `field`. */
export function isReadAt(reference: AttributeReference, field: RepeatedField): boolean {
  const { path, condition } = reference;
  if (readsWholeRequest(reference)) return true;
  if (condition !== "EXACT" || path[0] !== "request") return false;
  if (field.group === "headers" && path[1] === ALIASES.get(field.name)) return true;
  return path[1] === field.group && (path.length === 2 || path[2] === field.name);
}

/** Whether a read finds the lists of repeated values beside the fields, as `*.headers` and `**` do. */
export function readsWholeRequest({ path, condition }: AttributeReference): boolean {
  return condition === "EXACT" && (path.length === 0 || (path.length === 1 && path[0] === "request"));
}

/** The bag of the same request with `field` only once, with `value`. */
export function withOneValue(bag: AttributeBag, { group, name }: RepeatedField, value: string): AttributeBag {
  const request = bag["request"] as Group;
  const fields = Object.assign(Object.create(null) as object, request[group]) as Record<string, string>;
  fields[name] = value;
  const alias = group === "headers" ? ALIASES.get(name) : undefined;
  return {
    ...bag,
    request: { ...request, [group]: fields, ...(alias === undefined ? {} : { [alias]: value }) },
  };
}

/** The bag without the list of the values of `field`, as if the field had come once. */
export function withoutList(bag: AttributeBag, { group, name }: RepeatedField): AttributeBag {
  const apart = `repeated_${group}`;
  const { [apart]: lists, ...request } = bag["request"] as Group;
  const { [name]: _list, ...others } = groupIn(lists);
  return {
    ...bag,
    request: Object.keys(others).length === 0 ? request : { ...request, [apart]: others },
  };
}

function isTexts(value: AttributeValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
