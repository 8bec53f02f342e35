// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Guard, SMALL } from "../runtime/guard.ts";

/** Charges for a call before it is made, besides what every call is charged for the size of its values. */
export type Charge = (guard: Guard, values: readonly unknown[]) => void;

/** Steps for each character of a text, by measurement; a step takes about 0.1 µs. */
const STEPS_PER_CHARACTER: Readonly<Record<string, number>> = {
  trim: 1,
  number: 0.5,
  parseInteger: 1,
  encodeUrl: 0.5,
  encodeUrlComponent: 0.5,
  decodeUrl: 0.5,
  decodeUrlComponent: 0.5,
  base64encode: 0.5,
  base64decode: 0.5,
  base64urlEncode: 2,
  base64urlDecode: 0.5,
  hash: 0.5,
  constantTimeEquals: 0.1,
  jsonParse: 1,
};

/** Functions that compile what they are given, unless they know it: only the clock tells how long a call took. */
const COMPILING: ReadonlySet<string> = new Set(
  "glob pathMatch pathParams semver semverCompare inZone timeBetween".split(" "),
);

/** Steps for each block that an address is compared with: all are read when the list is new. */
const STEPS_PER_BLOCK = 20;

/** What a call of a function of the reference's, or the gateway's, is charged for; undefined: for the sizes of its values alone. */
export function chargeOf(name: string): Charge | undefined {
  const perCharacter = STEPS_PER_CHARACTER[name];
  if (perCharacter !== undefined)
    return (guard, values) => {
      for (const value of values)
        if (typeof value === "string" && value.length > SMALL) guard.tick(value.length * perCharacter);
    };
  if (COMPILING.has(name)) return (guard) => guard.look();
  if (name === "cidr")
    return (guard, [, blocks]) => {
      if (Array.isArray(blocks)) guard.tick(blocks.length * STEPS_PER_BLOCK);
    };
  if (name === "toMillis") return chargeTimePicture;
  return PICTURES.has(name) ? chargePictures : undefined;
}

/** Whether only the clock tells how long a call took. */
export function isMeasured(name: string): boolean {
  return COMPILING.has(name);
}

/** Functions that read a picture of a number or a time. */
const PICTURES: ReadonlySet<string> = new Set(["formatNumber", "formatInteger", "fromMillis"]);

/** Reading a picture, and an option of one, takes steps in proportion to the square of its length. */
function chargePictures(guard: Guard, [, ...pictures]: readonly unknown[]): void {
  guard.tick(300);
  for (const picture of pictures) {
    if (typeof picture === "string") chargePicture(guard, picture);
    else if (typeof picture === "object" && picture !== null)
      for (const option of Object.values(picture))
        if (typeof option === "string") chargePicture(guard, option);
  }
}

function chargePicture(guard: Guard, picture: string): void {
  guard.tick(picture.length * Math.max(1, picture.length / SMALL));
  // A width is padded to: [Y,999999999].
  for (const [, digits] of picture.matchAll(/,[0-9*-]*?([0-9]{3,})\]/g)) {
    guard.text(Number(digits));
    guard.chars(Number(digits));
  }
}

/**
 * `$toMillis` with a picture matches by backtracking: as many ways as there are to divide a run of characters among the parts
 * of the picture.
 */
function chargeTimePicture(guard: Guard, [text, picture]: readonly unknown[]): void {
  if (typeof text !== "string") return;
  guard.tick(text.length / 2);
  if (typeof picture !== "string") return;
  chargePicture(guard, picture);
  const parts = picture.split("[").length - 1;
  const runs = /[wWaAiINn]/.test(picture) ? [text] : (text.match(/[0-9]+/g) ?? []);
  const longest = Math.max(1, ...runs.map((run) => run.length));
  guard.tick(Math.min(longest ** parts, Number.MAX_SAFE_INTEGER));
}
