// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SourceLocation } from "../../kernel/diagnostic.ts";
import { suggest } from "../../kernel/suggest.ts";
import type { YamlPart } from "./yaml-part.ts";

/** A limit of the descriptor tree of envoyproxy/ratelimit. */
export interface LimitRule {
  /** Name for `replaces`; empty when it has none. */
  readonly name: string;
  /** Requests in a window. */
  readonly limit: number;
  /** The window's length as a duration of a document. */
  readonly window: string;
  /** Whether the rule allows every request. */
  readonly unlimited: boolean;
  /** Names of the limits that do not apply to a request that this rule applies to. */
  readonly replaces: readonly string[];
  /** Whether the limit is counted and refuses nothing. */
  readonly isShadow: boolean;
  readonly location: SourceLocation;
}

/** A node of the tree. */
export interface DescriptorNode {
  readonly key: string;
  /** `key` or `key_value`: the text that a descriptor's entry is looked up by. */
  readonly composite: string;
  /** Composites of the node and its ancestors, separated by dots, as in the service's statistics. */
  readonly path: string;
  readonly rule: LimitRule | undefined;
  readonly children: readonly DescriptorNode[];
  /** Whether all values that the wildcard matches share one count. */
  readonly sharesThreshold: boolean;
  readonly location: SourceLocation;
}

export interface RateLimitDomain {
  readonly domain: string;
  readonly descriptors: readonly DescriptorNode[];
}

/**
 * Windows of the units: fixed lengths, so a month has 30 days and a year 365 (envoyproxy/ratelimit 3fb70258,
 * src/utils/utilities.go, UnitToDivider).
 */
const WINDOWS: Readonly<Record<string, string>> = {
  second: "1s",
  minute: "1m",
  hour: "1h",
  day: "1d",
  week: "7d",
  month: "30d",
  year: "365d",
};

/** Largest limit of a QuotaPolicy. The service's own largest is 2^32 - 1. */
const MAX_LIMIT = 1_000_000_000;

const DESCRIPTOR_FIELDS = [
  "key",
  "value",
  "rate_limit",
  "descriptors",
  "shadow_mode",
  "quota_mode",
  "detailed_metric",
  "value_to_metric",
  "share_threshold",
];

const LIMIT_FIELDS = ["unit", "requests_per_unit", "unlimited", "name", "replaces"];

/**
 * Reads the configuration of a domain, with the checks of the service: unknown fields, empty keys, duplicate
 * composite keys, units. Faults go to the part's list.
 *
 * @returns undefined when the domain's name is missing.
 */
export function readRateLimitConfig(root: YamlPart): RateLimitDomain | undefined {
  if (!root.hasOnly(["domain", "descriptors"])) return undefined;
  const domain = root.neededText("domain");
  if (domain === undefined) return undefined;
  return { domain, descriptors: readDescriptors(root, `${domain}.`) };
}

function readDescriptors(parent: YamlPart, parentPath: string): readonly DescriptorNode[] {
  const nodes: DescriptorNode[] = [];
  const composites = new Set<string>();
  for (const part of parent.list("descriptors")) {
    const node = readDescriptor(part, parentPath);
    if (node === undefined) continue;
    if (composites.has(node.composite))
      part.report({
        code: "PURSER_DOC_DUPLICATE",
        message: `two descriptors have the composite key ${JSON.stringify(node.composite)}`,
      });
    composites.add(node.composite);
    nodes.push(node);
  }
  return nodes;
}

function readDescriptor(part: YamlPart, parentPath: string): DescriptorNode | undefined {
  if (!part.hasOnly(DESCRIPTOR_FIELDS)) return undefined;
  const key = part.neededText("key");
  if (key === undefined) return undefined;
  const value = part.text("value") ?? "";
  const composite = value === "" ? key : `${key}_${value}`;
  const sharesThreshold = part.flag("share_threshold");
  if (sharesThreshold && !composite.endsWith("*"))
    part.field("share_threshold")?.invalid("share_threshold needs a value that ends with *");
  for (const name of ["detailed_metric", "value_to_metric"])
    if (part.flag(name))
      part
        .field(name)
        ?.warn(`${name} names statistics of the service: Purser's metrics name the QuotaPolicy`);
  const path = `${parentPath}${composite}`;
  return {
    key,
    composite,
    path,
    rule: readRule(part),
    children: readDescriptors(part, `${path}.`),
    sharesThreshold,
    location: part.location,
  };
}

function readRule(descriptor: YamlPart): LimitRule | undefined {
  const part = descriptor.field("rate_limit");
  const isQuota = descriptor.flag("quota_mode");
  const isShadow = descriptor.flag("shadow_mode") || isQuota;
  if (isQuota)
    descriptor
      .field("quota_mode")
      ?.warn("quota_mode becomes mode: shadow: refusals are counted, and no dynamic metadata tells of them");
  if (part === undefined || !part.hasOnly(LIMIT_FIELDS)) return undefined;
  const unlimited = part.flag("unlimited");
  const window = readWindow(part, unlimited);
  const limit = readLimit(part);
  const name = part.text("name") ?? "";
  const replaces = part.list("replaces").flatMap((item) => {
    const replaced = item.hasOnly(["name"]) ? item.neededText("name") : undefined;
    if (replaced !== undefined && replaced === name) item.invalid("a limit cannot replace itself");
    return replaced === undefined ? [] : [replaced];
  });
  if (window === undefined || limit === undefined) return undefined;
  return { name, limit, window, unlimited, replaces, isShadow, location: part.location };
}

/** The window's length; empty for an unlimited rule, which may have no unit. */
function readWindow(part: YamlPart, unlimited: boolean): string | undefined {
  const unit = part.text("unit") ?? "";
  const name = unit.toLowerCase();
  const window = Object.hasOwn(WINDOWS, name) ? WINDOWS[name] : undefined;
  if (unlimited && window === undefined) return "";
  if (unlimited) part.field("unit")?.invalid("a limit that is unlimited has no unit");
  else if (unit === "")
    part.report({ code: "PURSER_DOC_MISSING_FIELD", message: `unit is missing: ${unitList()}` });
  else if (window === undefined)
    part.field("unit")?.report({
      code: "PURSER_DOC_INVALID_VALUE",
      message: `there is no unit ${JSON.stringify(unit)}: ${unitList()}`,
      suggestion: suggest(name, Object.keys(WINDOWS)),
    });
  return unlimited ? undefined : window;
}

function unitList(): string {
  return Object.keys(WINDOWS).join(", ");
}

/** The service's default is 0, which refuses every request. */
function readLimit(part: YamlPart): number | undefined {
  const field = part.field("requests_per_unit");
  if (field === undefined) return 0;
  if (typeof field.value !== "number" || field.value <= MAX_LIMIT || field.value >= 2 ** 32)
    return part.wholeNumber("requests_per_unit", 0, MAX_LIMIT);
  field.unsupported(`the limit of a QuotaPolicy is at most ${MAX_LIMIT}`);
  return undefined;
}
