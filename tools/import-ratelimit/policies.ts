// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaPolicySpec } from "../../core/documents/kinds/quota-policy.ts";
import type { Diagnostic, SourceLocation } from "../../kernel/diagnostic.ts";
import { all, type Descriptor, type EntryValue, literal, negated } from "./entry.ts";
import type { DescriptorNode, RateLimitDomain } from "./ratelimit-config.ts";
import { type Route, routesOf } from "./routes.ts";

/** A QuotaPolicy made of a limit, with its sources. */
export interface ImportedPolicy {
  readonly name: string;
  readonly spec: QuotaPolicySpec;
  /** Path of the limit in the tree, as in the statistics of the service. */
  readonly path: string;
  readonly limitAt: SourceLocation;
  /** The list of actions that makes the descriptor. */
  readonly descriptorAt: SourceLocation;
}

/**
 * The QuotaPolicies with the meaning of a domain's limits for the descriptors that Envoy sends.
 *
 * @param match Condition of all requests that Envoy asks about; all when undefined.
 */
export function policiesOf(
  domain: RateLimitDomain,
  descriptors: readonly Descriptor[],
  match: string | undefined,
  faults: Diagnostic[],
): readonly ImportedPolicy[] {
  const routes = descriptors.flatMap((descriptor) => routesOf(descriptor, domain));
  reportUnreached(domain, routes, faults);
  const names = new Set<string>();
  return sharedCounts(
    routes.filter(({ rule }) => !rule.unlimited),
    faults,
  ).map((sharing) => policyOf(sharing, routes, domain, match, names));
}

/** The policy of routes that share their counts and exclude each other. */
function policyOf(
  sharing: Sharing,
  routes: readonly Route[],
  { domain }: RateLimitDomain,
  match: string | undefined,
  names: Set<string>,
): ImportedPolicy {
  const [{ rule, node, descriptor }] = sharing;
  const replacing =
    rule.name === ""
      ? []
      : routes
          .filter((other) => other.rule.replaces.includes(rule.name))
          .map((other) => negated(conditionOf(other)));
  const conditions = [
    ...(match === undefined ? [] : [`(${match})`]),
    ...(sharing.length === 1
      ? sharing[0].conditions
      : [`(${sharing.map((route) => `(${conditionOf(route)})`).join(" or ")})`]),
    ...replacing,
  ];
  const key = keyOf(sharing);
  const charge = choice(sharing, (route) => `${route.descriptor.amount}`);
  const spec: QuotaPolicySpec = {
    ...(conditions.length === 0 ? {} : { match: all(conditions) }),
    ...(key.length === 0 ? {} : { key: Object.fromEntries(key) }),
    limit: rule.limit,
    window: rule.window,
    algorithm: "fixed-window",
    ...(charge === "1" ? {} : { charge: /^\d+$/.test(charge) ? Number(charge) : charge }),
    ...(rule.isShadow ? { mode: "shadow" as const } : {}),
  };
  return {
    name: uniqueName(rule.name === "" ? node.path : `${domain}.${rule.name}`, names),
    spec,
    path: node.path,
    limitAt: rule.location,
    descriptorAt: descriptor.location,
  };
}

/** Always true or false. */
function conditionOf({ conditions }: Route): string {
  return conditions.length === 0 ? "true" : all(conditions);
}

/** The entries that distinguish counts, as name and expression. */
function keyOf(sharing: Sharing): readonly (readonly [string, string])[] {
  const taken = new Map<string, number>();
  return sharing[0].descriptor.entries.flatMap(({ key }, index) => {
    const source = choice(sharing, ({ values }) => sourceOf(values[index] as EntryValue));
    const [first] = sharing;
    const isConstant = first.values[index]?.kind === "text" && sourceOf(first.values[index]) === source;
    if (isConstant) return [];
    const number = (taken.get(key) ?? 0) + 1;
    taken.set(key, number);
    return [[number === 1 ? key : `${key}#${number}`, source] as const];
  });
}

function sourceOf(value: EntryValue): string {
  return value.kind === "text" ? literal(value.text) : value.source;
}

/** An expression for the value of the route that a request takes. */
function choice(sharing: Sharing, valueOf: (route: Route) => string): string {
  const values = sharing.map(valueOf);
  const last = values.at(-1) as string;
  if (values.every((value) => value === last)) return last;
  return sharing
    .slice(0, -1)
    .reduceRight((others, route, index) => `(${conditionOf(route)} ? ${values[index]} : ${others})`, last);
}

/** Names of documents have 253 characters at most; the rest is room for a number. */
const MAX_NAME_LENGTH = 240;

function uniqueName(text: string, names: Set<string>): string {
  const base =
    text
      .toLowerCase()
      .replaceAll(/[^a-z0-9._-]+/g, "-")
      .slice(0, MAX_NAME_LENGTH)
      .replaceAll(/^[._-]+|[._-]+$/g, "") || "limit";
  let name = base;
  for (let number = 2; names.has(name); number++) name = `${base}-${number}`;
  names.add(name);
  return name;
}

/** Routes of which each can share its count with another. */
type Sharing = readonly [Route, ...Route[]];

/**
 * Routes by their counts. The service counts by the texts of a descriptor, whichever actions made it. Routes that
 * can count the same text become one policy if they exclude each other. If they do not, the service uses the
 * count twice for one request, which no QuotaPolicy does: a fault.
 */
function sharedCounts(routes: readonly Route[], faults: Diagnostic[]): readonly Sharing[] {
  let groups: Sharing[] = [];
  for (const route of routes) {
    const joined = groups.filter((group) => group.some((other) => canShare(other, route)));
    groups = groups.filter((group) => !joined.includes(group));
    const [first, ...others] = [...joined.flat(), route];
    groups.push([first as Route, ...others]);
  }
  for (const group of groups) reportTwice(group, faults);
  return groups;
}

function reportTwice(group: Sharing, faults: Diagnostic[]): void {
  const reported = new Set<string>();
  for (const [index, first] of group.entries())
    for (const second of group.slice(index + 1)) {
      const lists = `${first.descriptor.list} ${second.descriptor.list}`;
      if (excludeEachOther(first, second) || reported.has(lists)) continue;
      reported.add(lists);
      faults.push({
        severity: "error",
        code: "PURSER_IMPORT_UNSUPPORTED",
        location: second.descriptor.location,
        message: `these actions and those of line ${first.descriptor.location.line} can give one request the same descriptor ${second.node.path} twice, which the service counts twice: make their descriptor keys different`,
      });
    }
}

/** Whether two routes can use the same count, for one request or for different ones. */
function canShare(first: Route, second: Route): boolean {
  return (
    first.node === second.node &&
    first.values.length === second.values.length &&
    first.values.every((value, index) => {
      const other = second.values[index] as EntryValue;
      return (
        first.descriptor.entries[index]?.key === second.descriptor.entries[index]?.key &&
        (value.kind !== "text" || other.kind !== "text" || value.text === other.text)
      );
    })
  );
}

/** Descriptors of one list, and routes of one descriptor, exclude each other as they are made. */
function excludeEachOther(first: Route, second: Route): boolean {
  return (
    first.descriptor.list === second.descriptor.list ||
    first.conditions.some((condition) => second.conditions.includes(negated(condition))) ||
    second.conditions.some((condition) => first.conditions.includes(negated(condition)))
  );
}

/** Warns of limits that no descriptor reaches: the service never applies them either. */
function reportUnreached(
  { descriptors }: RateLimitDomain,
  routes: readonly Route[],
  faults: Diagnostic[],
): void {
  const reached = new Set(routes.map(({ node }) => node));
  const visit = (node: DescriptorNode): void => {
    if (node.rule !== undefined && !reached.has(node))
      faults.push({
        severity: "warning",
        code: "PURSER_IMPORT_UNSUPPORTED",
        location: node.location,
        message: `no action makes a descriptor for ${node.path}: the limit becomes no document`,
      });
    for (const child of node.children) visit(child);
  };
  for (const node of descriptors) visit(node);
}
