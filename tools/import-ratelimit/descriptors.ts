// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../kernel/diagnostic.ts";
import { type Action, attributeEntry, type EntryExpressions, readAction } from "./actions.ts";
import { all, type Descriptor, negated } from "./entry.ts";
import type { DescriptorNode, RateLimitDomain } from "./ratelimit-config.ts";
import type { YamlPart } from "./yaml-part.ts";

/** Bound on the actions of one list with skip_if_absent: each doubles the list's descriptors. */
const MAX_SKIPPABLE = 6;

/**
 * The descriptors that an Envoy configuration sends. The lists of actions are the only `rate_limits` of the
 * document: of a route, a virtual host, or at the top.
 *
 * @param isNarrowed Whether the user has given the condition of the route that the actions belong to.
 */
export function readDescriptors(
  root: YamlPart,
  given: EntryExpressions,
  isNarrowed: boolean,
): readonly Descriptor[] {
  const found = Array.isArray(root.value) ? [{ lists: root, restricted: undefined }] : findRateLimits(root);
  const [first, second] = found;
  if (first === undefined) {
    root.invalid("there is no list rate_limits in the document");
    return [];
  }
  if (second !== undefined) {
    second.lists.unsupported(
      `a second list rate_limits, besides line ${first.lists.location.line}: import each route's from a file of its own, with --match for the route's condition`,
    );
    return [];
  }
  if (first.restricted !== undefined && !isNarrowed) {
    first.restricted.unsupported(
      "the limits apply only to this route or virtual host: give its condition with --match, such as --match '$startsWith(request.url_path, \"/api/\")'",
    );
    return [];
  }
  return first.lists.items.flatMap((part, list) => readList(part, list, given));
}

interface Found {
  readonly lists: YamlPart;
  /** The route's match or the virtual host's domains, when they do not cover all requests. */
  readonly restricted: YamlPart | undefined;
}

function findRateLimits(part: YamlPart, restricted?: YamlPart): readonly Found[] {
  if (Array.isArray(part.value)) return part.items.flatMap((item) => findRateLimits(item, restricted));
  const narrowed = restrictionOf(part) ?? restricted;
  return part.names.flatMap((name) => {
    const field = part.field(name);
    if (field === undefined) return [];
    return name === "rate_limits"
      ? [{ lists: field, restricted: narrowed }]
      : findRateLimits(field, narrowed);
  });
}

function restrictionOf(part: YamlPart): YamlPart | undefined {
  const domains = part.field("domains");
  if (domains !== undefined && JSON.stringify(domains.value) !== '["*"]') return domains;
  const match = part.field("match");
  return match !== undefined && JSON.stringify(match.value) !== '{"prefix":"/"}' ? match : undefined;
}

function readList(part: YamlPart, list: number, given: EntryExpressions): readonly Descriptor[] {
  for (const name of ["disable_key", "limit", "apply_on_stream_done"])
    if (part.field(name) !== undefined && part.field(name)?.value !== false)
      part.field(name)?.unsupported(`${name} has no counterpart`);
  if (!part.hasOnly(["actions", "stage", "hits_addend", "disable_key", "limit", "apply_on_stream_done"]))
    return [];
  if ((part.wholeNumber("stage", 0, 10) ?? 0) !== 0)
    part.field("stage")?.unsupported("limits of another stage have no counterpart: import them separately");
  const actions = part.list("actions").map((action) => readAction(action, given));
  if (actions.length === 0)
    part.report({ code: "PURSER_DOC_MISSING_FIELD", message: "actions is missing or empty" });
  const skippable = actions.filter((action) => action?.skippable === true).length;
  if (skippable > MAX_SKIPPABLE)
    part.unsupported(`more than ${MAX_SKIPPABLE} actions with skip_if_absent make too many policies`);
  if (actions.includes(undefined) || skippable > MAX_SKIPPABLE) return [];
  const shared = { amount: amountOf(part), list, location: part.location };
  return combinations(actions as readonly Action[]).map((descriptor) => ({ ...descriptor, ...shared }));
}

/** Envoy's default is 1. */
function amountOf(part: YamlPart): number {
  const hits = part.field("hits_addend");
  if (hits === undefined) return 1;
  if (hits.field("format") !== undefined)
    hits
      .field("format")
      ?.unsupported("hits_addend with a format has no counterpart: write the policy's charge");
  hits.hasOnly(["number", "format"]);
  return hits.wholeNumber("number", 1, 1_000_000_000) ?? 1;
}

/** With skip_if_absent, a request without the entry has the descriptor of the other entries. */
function combinations(actions: readonly Action[]): readonly Pick<Descriptor, "entries" | "conditions">[] {
  let made: Pick<Descriptor, "entries" | "conditions">[] = [{ entries: [], conditions: [] }];
  for (const { entry, skippable } of actions) {
    const withEntry = made.map(({ entries, conditions }) => ({ entries: [...entries, entry], conditions }));
    // An entry without conditions is never absent.
    const without =
      skippable && entry.conditions.length > 0
        ? made.map(({ entries, conditions }) => ({
            entries,
            conditions: [...conditions, negated(all(entry.conditions))],
          }))
        : [];
    made = [...withEntry, ...without];
  }
  return made.filter(({ entries }) => entries.length > 0);
}

/** Entries that every Envoy writes in the same way. */
const WELL_KNOWN: EntryExpressions = new Map([["remote_address", "origin.ip"]]);

/**
 * Without Envoy's configuration: one descriptor for each sequence of keys that has a limit, with the given
 * expressions as its entries.
 */
export function descriptorsOfKeys(
  { descriptors }: RateLimitDomain,
  given: EntryExpressions,
  faults: Diagnostic[],
): readonly Descriptor[] {
  const sequences = new Map<string, readonly DescriptorNode[]>();
  const missing = new Set<string>();
  const visit = (nodes: readonly DescriptorNode[], above: readonly DescriptorNode[]): void => {
    for (const node of nodes) {
      const path = [...above, node];
      const sequence = JSON.stringify(path.map(({ key }) => key));
      if (node.rule !== undefined && !sequences.has(sequence)) sequences.set(sequence, path);
      visit(node.children, path);
    }
  };
  visit(descriptors, []);
  const made = [...sequences.values()].map((path, list): Descriptor => {
    const entries = path.map(({ key, location }) => {
      const source = given.get(key) ?? WELL_KNOWN.get(key);
      if (source === undefined && !missing.has(key)) {
        missing.add(key);
        faults.push({
          severity: "error",
          code: "PURSER_IMPORT_UNSUPPORTED",
          location,
          message: `no expression is known for the key ${JSON.stringify(key)}: give Envoy's actions with --actions, or --entry '${key}=EXPRESSION'`,
        });
      }
      return attributeEntry(key, source ?? "");
    });
    const { location } = path.at(-1) as DescriptorNode;
    return { entries, conditions: [], amount: 1, list, location };
  });
  return missing.size === 0 ? made : [];
}
