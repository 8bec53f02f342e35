// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Claims } from "./compact-token.ts";
import { isRecord } from "./json-web-key.ts";

/** Claims with the texts of some of them divided at spaces, as Istio's `spaceDelimitedClaims` asks. */
export function withLists(claims: Claims, names: readonly string[]): Claims {
  const texts = names.filter((name) => Object.hasOwn(claims, name) && typeof claims[name] === "string");
  if (texts.length === 0) return claims;
  return {
    ...claims,
    ...Object.fromEntries(
      texts.map((name) => [name, (claims[name] as string).split(" ").filter((word) => word !== "")]),
    ),
  };
}

/**
 * The header text of a claim. Dots lead into objects where no claim has the whole name.
 *
 * @returns Undefined for an absent claim, and for lists and objects, for which Istio writes no header either.
 */
export function claimText(claims: Claims, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : valueAtPath(claims, name.split("."));
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "boolean":
      return String(value);
    default:
      return undefined;
  }
}

function valueAtPath(claims: Claims, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const step of path) {
    if (!isRecord(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}
