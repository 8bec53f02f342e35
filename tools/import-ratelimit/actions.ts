// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { all, type Entry, type EntryValue, literal, negated } from "./entry.ts";
import { headerCondition, queryCondition } from "./matchers.ts";
import { headerAttribute, queryAttribute } from "./request-parts.ts";
import type { YamlPart } from "./yaml-part.ts";

/** An action's entry, and whether a request without it still has the descriptor's other entries. */
export interface Action {
  readonly entry: Entry;
  readonly skippable: boolean;
}

type ReadAction = (part: YamlPart) => Action | undefined;

/** Expressions for the entries of some keys, given by the user: they replace the action's own. */
export type EntryExpressions = ReadonlyMap<string, string>;

/**
 * Reads one rate limit action of an Envoy route.
 *
 * @returns undefined after a fault.
 */
export function readAction(part: YamlPart, given: EntryExpressions): Action | undefined {
  const [name, ...others] = part.names;
  const field = name === undefined ? undefined : part.field(name);
  if (name === undefined || field === undefined || others.length > 0) {
    part.invalid(`an action is a map with one field: ${[...Object.keys(ACTIONS), ...METADATA].join(", ")}`);
    return undefined;
  }
  if (METADATA.has(name)) return readMetadata(field, given);
  const read = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (read !== undefined) return replaceExpression(read(field), given);
  field.unsupported(`the action ${name} has no counterpart`);
  return undefined;
}

const METADATA: ReadonlySet<string> = new Set(["metadata", "dynamic_metadata"]);

/** Attributes that every request has. */
const ALWAYS_PRESENT: ReadonlySet<string> = new Set(["request.path", "request.method", "request.scheme"]);

/** An entry whose value is an attribute of the request: there is none when the attribute is absent. */
export function attributeEntry(key: string, source: string): Entry {
  const conditions = ALWAYS_PRESENT.has(source) ? [] : [`$exists(${source})`];
  return { key, value: { kind: "expression", source }, conditions };
}

const needed = (entry: Entry): Action => ({ entry, skippable: false });
const text = (value: string): EntryValue => ({ kind: "text", text: value });

const ACTIONS: Readonly<Record<string, ReadAction>> = {
  source_cluster: (part) => {
    part.warn("source_cluster becomes source.workload.name: write its values as names of workloads");
    return needed(attributeEntry("source_cluster", "source.workload.name"));
  },
  destination_cluster: (part) => {
    part.warn("destination_cluster becomes destination.service.name: write its values as names of services");
    return needed(attributeEntry("destination_cluster", "destination.service.name"));
  },
  request_headers: (part) => {
    if (!part.hasOnly(["header_name", "descriptor_key", "skip_if_absent"])) return undefined;
    const name = part.neededText("header_name");
    const key = part.neededText("descriptor_key");
    const source = name === undefined ? undefined : headerAttribute(name, part);
    if (source === undefined || key === undefined) return undefined;
    return { entry: attributeEntry(key, source), skippable: part.flag("skip_if_absent") };
  },
  query_parameters: (part) => {
    if (!part.hasOnly(["query_parameter_name", "descriptor_key", "skip_if_absent"])) return undefined;
    const name = part.neededText("query_parameter_name");
    const key = part.neededText("descriptor_key");
    if (name === undefined || key === undefined) return undefined;
    return { entry: attributeEntry(key, queryAttribute(name)), skippable: part.flag("skip_if_absent") };
  },
  remote_address: () => needed(attributeEntry("remote_address", "origin.ip")),
  masked_remote_address: readMasked,
  generic_key: readGenericKey,
  header_value_match: (part) => readValueMatch(part, "header_match", "headers", headerCondition),
  query_parameter_value_match: (part) =>
    readValueMatch(part, "query_match", "query_parameters", queryCondition),
};

/** Default lengths: the whole address (Envoy, route_components.proto, MaskedRemoteAddress). */
function readMasked(part: YamlPart): Action | undefined {
  if (!part.hasOnly(["v4_prefix_mask_len", "v6_prefix_mask_len"])) return undefined;
  const v4 =
    part.field("v4_prefix_mask_len") === undefined ? 32 : part.wholeNumber("v4_prefix_mask_len", 0, 32);
  const v6 =
    part.field("v6_prefix_mask_len") === undefined ? 128 : part.wholeNumber("v6_prefix_mask_len", 0, 128);
  if (v4 === undefined || v6 === undefined) return undefined;
  // As Envoy writes it: 10.1.0.0/16, 2001:db8::/64.
  const source = `$addressPrefix(origin.ip, ${v4}, ${v6})`;
  return needed({
    key: "masked_remote_address",
    value: { kind: "expression", source },
    conditions: ["$exists(origin.ip)"],
  });
}

function readGenericKey(part: YamlPart): Action | undefined {
  if (!part.hasOnly(["descriptor_value", "descriptor_key", "default_value"])) return undefined;
  const value = part.neededText("descriptor_value");
  if (value === undefined || hasFormat(value, part)) return undefined;
  const key = part.text("descriptor_key") ?? "";
  return needed({ key: key === "" ? "generic_key" : key, value: text(value), conditions: [] });
}

function readValueMatch(
  part: YamlPart,
  defaultKey: string,
  list: "headers" | "query_parameters",
  read: (part: YamlPart) => string | undefined,
): Action | undefined {
  if (!part.hasOnly(["descriptor_key", "descriptor_value", "default_value", "expect_match", list]))
    return undefined;
  const value = part.neededText("descriptor_value");
  if (part.list(list).length === 0)
    part.report({ code: "PURSER_DOC_MISSING_FIELD", message: `${list} is missing or empty` });
  const conditions = part.list(list).map(read);
  if (value === undefined || hasFormat(value, part) || conditions.includes(undefined)) return undefined;
  const matched = conditions as readonly string[];
  const key = part.text("descriptor_key") ?? "";
  return needed({
    key: key === "" ? defaultKey : key,
    value: text(value),
    conditions: part.flag("expect_match", true) ? matched : [negated(all(matched))],
  });
}

/** Whether the text has a command operator such as %REQ(x-user)%, which Envoy replaces; with a fault. */
function hasFormat(value: string, part: YamlPart): boolean {
  if (!value.includes("%")) return false;
  part
    .field("descriptor_value")
    ?.unsupported(`the command operator in ${literal(value)} has no counterpart: use request_headers`);
  return true;
}

/** The metadata that Envoy's filter for tokens writes their claims to. */
const TOKENS = "envoy.filters.http.jwt_authn";

/**
 * An entry of dynamic metadata. The claims of a token have an attribute; of all other metadata Purser knows nothing.
 * Envoy takes texts that are not empty, and the default value in place of all else.
 */
function readMetadata(part: YamlPart, given: EntryExpressions): Action | undefined {
  const key = part.neededText("descriptor_key");
  if (key === undefined) return undefined;
  const source = given.get(key) ?? claimOf(part);
  if (source === undefined) {
    part.unsupported(
      `metadata has no attribute: give its expression with --entry '${key}=EXPRESSION', or claims of a token by ${TOKENS}`,
    );
    return undefined;
  }
  const isText = `$type(${source}) = "string" and ${source} != ""`;
  const fallback = part.text("default_value") ?? "";
  if (fallback !== "")
    return needed({
      key,
      value: { kind: "expression", source: `(${isText} ? ${source} : ${literal(fallback)})` },
      conditions: [],
    });
  const entry: Entry = {
    key,
    value: { kind: "expression", source },
    conditions: [`$exists(${source})`, isText],
  };
  return { entry, skippable: part.flag("skip_if_absent") };
}

function claimOf(part: YamlPart): string | undefined {
  const metadata = part.field("metadata_key");
  if (metadata?.text("key") !== TOKENS) return undefined;
  const names = metadata.list("path").map((step) => step.text("key") ?? "");
  // The first step is the payload_in_metadata of the filter's configuration.
  const [, ...claims] = names;
  return claims.length === 0 ? undefined : `request.auth.claims.${claims.map(literal).join(".")}`;
}

function replaceExpression(action: Action | undefined, given: EntryExpressions): Action | undefined {
  const source = action === undefined ? undefined : given.get(action.entry.key);
  if (action === undefined || source === undefined || action.entry.value.kind === "text") return action;
  return { ...action, entry: attributeEntry(action.entry.key, source) };
}
