// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeManifest } from "../../expressions/manifest/manifest.ts";
import type { AttributeType } from "../../expressions/manifest/manifest-spec.ts";

/** Reasons for refusing an attribute that a plugin adds; values of a metric's label. */
export type RefusalReason = "undeclared" | "type";

/** An attribute that a plugin may not add. */
export interface RefusedAttribute {
  /** Dotted name, at most MAX_NAME_LENGTH characters of it. */
  readonly name: string;
  readonly reason: RefusalReason;
  /** One sentence for logs and explanations, without the attribute's value. */
  readonly detail: string;
}

/** Names are data of the plugin, and go into logs and explanations. */
const MAX_NAME_LENGTH = 100;

/** The refusal of an added attribute; undefined when the manifest declares its name and the value has its type. */
export function refusalOf(
  manifest: AttributeManifest,
  name: string,
  value: unknown,
): RefusedAttribute | undefined {
  const match = manifest.lookup(name.split("."));
  const shown = name.slice(0, MAX_NAME_LENGTH);
  if (match === undefined || match.kind === "group") {
    const detail = `${shown} is declared neither in the plugin's "provides" nor in an AttributeManifest`;
    return { name: shown, reason: "undeclared", detail };
  }
  const { type } = match.declaration;
  // The members of a STRING_MAP are texts, those of an ANY are anything.
  const expected = match.kind === "member" && type === "STRING_MAP" ? "STRING" : type;
  if (hasType(value, expected)) return undefined;
  return { name: shown, reason: "type", detail: `${shown} is declared as ${expected}; got ${kindOf(value)}` };
}

/** Whether a bag may hold the value for an attribute of this type. Forms within a text are not checked. */
function hasType(value: unknown, type: AttributeType): boolean {
  switch (type) {
    case "INT64":
      return Number.isInteger(value);
    case "DOUBLE":
    case "DURATION":
      return Number.isFinite(value);
    case "BOOL":
      return typeof value === "boolean";
    case "STRING_MAP":
      return isPlainObject(value) && Object.values(value).every((member) => typeof member === "string");
    case "STRING_LIST":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    case "ANY":
      return isData(value, MAX_DEPTH);
    default:
      return typeof value === "string";
  }
}

/** Levels of lists and objects in a value; a deeper or circular value is refused. */
const MAX_DEPTH = 32;

/** Whether a value is plain JSON other than null: an absent attribute is an absent property. */
function isData(value: unknown, levels: number): boolean {
  if (typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return true;
  if (levels === 0) return false;
  const isMember = (member: unknown) => member === null || isData(member, levels - 1);
  if (Array.isArray(value)) return value.every(isMember);
  return (
    isPlainObject(value) && Object.values(value).every((member) => member === undefined || isMember(member))
  );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** The kind of a value for messages, such as `a string` or `NaN`. */
function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number" && !Number.isInteger(value))
    return Number.isFinite(value) ? "a number that is not whole" : String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
