// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** What is known of functions without calling them; a test holds the names to JSONata's own list, and the gateway's. */

/** Their work is linear in what they are given, and what they give is no larger, or bounded (bounded-builtins.ts). */
export const STEADY_FUNCTIONS: ReadonlySet<string> = words(`
  sum count max min average number floor ceil round abs sqrt power random
  substring substringBefore substringAfter lowercase uppercase length trim pad
  contains match replace split join formatNumber formatBase formatInteger parseInteger
  boolean not exists type keys lookup append distinct reverse
  now millis toMillis fromMillis
  cidr pathMatch pathParams glob startsWith endsWith constantTimeEquals inZone timeBetween semver semverCompare hash
  jsonParse base64urlDecode
`);

/** All that expressions may call. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set([
  ...STEADY_FUNCTIONS,
  ...words(`
    string spread merge each sift map zip filter single reduce sort shuffle error assert clone
    base64encode base64decode encodeUrl encodeUrlComponent decodeUrl decodeUrlComponent
    jsonStringify base64urlEncode
  `),
]);

/** How few arguments make a function take the context for the missing one: its signature has a `-`. */
export const USES_CONTEXT_BELOW: ReadonlyMap<string, number> = new Map([
  ...each(
    1,
    "string length lowercase uppercase trim number floor ceil round abs sqrt boolean not keys spread",
  ),
  ...each(1, "base64encode base64decode encodeUrl encodeUrlComponent decodeUrl decodeUrlComponent"),
  ...each(1, "toMillis fromMillis formatBase clone"),
  ...each(2, "substring substringBefore substringAfter pad match contains split formatNumber formatInteger"),
  ...each(2, "parseInteger power each sift lookup"),
  ...each(3, "replace"),
  ...each(1, "jsonParse jsonStringify base64urlEncode base64urlDecode"),
  ...each(2, "cidr pathMatch pathParams glob startsWith endsWith semver inZone"),
  ...each(4, "timeBetween"),
]);

function words(text: string): Set<string> {
  return new Set(text.trim().split(/\s+/));
}

function each(count: number, names: string): [string, number][] {
  return [...words(names)].map((name) => [name, count]);
}
