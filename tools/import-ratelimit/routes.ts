// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Descriptor, type Entry, type EntryValue, literal, negated } from "./entry.ts";
import type { DescriptorNode, LimitRule, RateLimitDomain } from "./ratelimit-config.ts";

/** A rule that a descriptor reaches, with the requests for which it does. */
export interface Route {
  readonly descriptor: Descriptor;
  readonly node: DescriptorNode;
  readonly rule: LimitRule;
  /** Conditions of the descriptor and of the values that lead to the rule; all true for these requests. */
  readonly conditions: readonly string[];
  /** The value that each entry is counted by. */
  readonly values: readonly EntryValue[];
}

/** A node that an entry may reach, by the conditions on the entry's value. */
interface Step {
  readonly node: DescriptorNode;
  readonly conditions: readonly string[];
  /** The value that the entry is counted by. */
  readonly value: EntryValue;
}

/**
 * All rules that a descriptor may reach, in the matching order of envoyproxy/ratelimit (3fb70258,
 * src/config/config_impl.go, GetLimit). On each level an entry takes the node of its key and value, else the
 * first wildcard in the order of the file that its value begins with, else the node of its key. There is no way
 * back: the levels below are those of the node that was taken. A limit applies when it is at the descriptor's
 * last entry.
 */
export function routesOf(descriptor: Descriptor, domain: RateLimitDomain): readonly Route[] {
  const { entries } = descriptor;
  const conditions = [...entries.flatMap((entry) => entry.conditions), ...descriptor.conditions];
  let reached: Pick<Route, "conditions" | "values">[] = [{ conditions, values: [] }];
  let levels: (readonly DescriptorNode[])[] = [domain.descriptors];
  const routes: Route[] = [];
  for (const [index, entry] of entries.entries()) {
    const next: typeof reached = [];
    const nextLevels: typeof levels = [];
    for (const [at, before] of reached.entries())
      for (const step of stepsOf(entry, levels[at] as readonly DescriptorNode[])) {
        const { node } = step;
        const after = {
          conditions: [...before.conditions, ...step.conditions],
          values: [...before.values, step.value],
        };
        if (index < entries.length - 1) {
          next.push(after);
          nextLevels.push(node.children);
        } else if (node.rule !== undefined) routes.push({ ...after, descriptor, node, rule: node.rule });
      }
    reached = next;
    levels = nextLevels;
  }
  return routes;
}

function stepsOf(entry: Entry, nodes: readonly DescriptorNode[]): readonly Step[] {
  const { key, value } = entry;
  if (value.kind === "text") {
    const composite = `${key}_${value.text}`;
    const node = nodeOf(composite, key, nodes);
    if (node === undefined) return [];
    const isExact = node.composite === composite;
    return [{ node, conditions: [], value: isExact ? value : countedBy(node, key, value) }];
  }
  const { source } = value;
  const constants = constantsOf(key, nodes);
  const wildcards = wildcardsOf(key, nodes);
  const isNot = (constant: string) => negated(`${source} = ${literal(constant)}`);
  const begins = (prefix: string) => `$startsWith(${source}, ${literal(prefix)})`;
  const steps: Step[] = constants.map(({ node, text }) => ({
    node,
    conditions: [`${source} = ${literal(text)}`],
    value: { kind: "text", text },
  }));
  for (const [index, { node, prefix }] of wildcards.entries()) {
    const earlier = wildcards.slice(0, index).map((other) => other.prefix);
    // An earlier wildcard that matches all of these values leaves none.
    if (earlier.some((other) => prefix.startsWith(other))) continue;
    const others = constants.filter(({ text }) => text.startsWith(prefix)).map(({ text }) => isNot(text));
    const longer = earlier.filter((other) => other.startsWith(prefix)).map((other) => negated(begins(other)));
    const conditions = [...(prefix === "" ? [] : [begins(prefix)]), ...others, ...longer];
    steps.push({ node, conditions, value: countedBy(node, key, value) });
  }
  const byKey = nodes.find(({ composite }) => composite === key);
  if (byKey === undefined || wildcards.some(({ prefix }) => prefix === "")) return steps;
  const conditions = [
    ...constants.map(({ text }) => isNot(text)),
    ...wildcards.map(({ prefix }) => negated(begins(prefix))),
  ];
  return [...steps, { node: byKey, conditions, value }];
}

/** The value that an entry of a wildcard is counted by: the wildcard itself with share_threshold. */
function countedBy(node: DescriptorNode, key: string, value: EntryValue): EntryValue {
  return node.sharesThreshold ? { kind: "text", text: node.composite.slice(key.length + 1) } : value;
}

/** The node of an entry with a known value. */
function nodeOf(
  composite: string,
  key: string,
  nodes: readonly DescriptorNode[],
): DescriptorNode | undefined {
  return (
    nodes.find((node) => node.composite === composite) ??
    nodes.find((node) => isWildcard(node) && composite.startsWith(node.composite.slice(0, -1))) ??
    nodes.find((node) => node.composite === key)
  );
}

function isWildcard({ composite }: DescriptorNode): boolean {
  return composite.endsWith("*");
}

/**
 * The values that have a node of their own. A wildcard's own text is such a value too; it counts only where an
 * earlier wildcard would take it otherwise.
 */
function constantsOf(key: string, nodes: readonly DescriptorNode[]) {
  const start = `${key}_`;
  return nodes.flatMap((node, index) => {
    if (!node.composite.startsWith(start)) return [];
    const text = node.composite.slice(start.length);
    const isTaken = nodes
      .slice(0, index)
      .some((other) => isWildcard(other) && node.composite.startsWith(other.composite.slice(0, -1)));
    return isWildcard(node) && !isTaken ? [] : [{ node, text }];
  });
}

/** The wildcards that values of a key may match, in the order of the file, by the value's first characters. */
function wildcardsOf(key: string, nodes: readonly DescriptorNode[]) {
  const start = `${key}_`;
  return nodes.filter(isWildcard).flatMap((node) => {
    const prefix = node.composite.slice(0, -1);
    if (start.startsWith(prefix)) return [{ node, prefix: "" }];
    return prefix.startsWith(start) ? [{ node, prefix: prefix.slice(start.length) }] : [];
  });
}
