// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { tooLarge } from "../errors/too-large.ts";
import { type Guard, SMALL } from "../runtime/guard.ts";

/**
 * Longest picture of a number or a time in a policy, in UTF-16 units: real pictures have a few dozen
 * characters.
 */
export const PICTURE_LENGTH = 256;

/**
 * Refuses pictures that documents may not use.
 * @throws {ExpressionError} D2015
 */
export function checkPicture(picture: unknown): void {
  if (typeof picture !== "string") return;
  if (picture.length > PICTURE_LENGTH)
    throw tooLarge(`a picture is longer than ${PICTURE_LENGTH} characters`);
  // JSONata pads to a width such as [Y,999999999].
  if (/,[0-9*-]*[0-9]{4}/.test(picture)) throw tooLarge("a picture has a width above 999");
}

/**
 * Charges for parsing a picture, or an option of one: the steps are proportional to the square of its length.
 */
export function chargePictures(guard: Guard, [, ...pictures]: readonly unknown[]): void {
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
  // JSONata pads to a width such as [Y,999999999].
  for (const [, digits] of picture.matchAll(/,[0-9*-]*?([0-9]{3,})\]/g)) {
    guard.text(Number(digits));
    guard.chars(Number(digits));
  }
}

/**
 * Charges for `$toMillis` with a picture, which matches by backtracking: the steps are the number of ways to
 * divide a run of characters among the parts of the picture.
 */
export function chargeTimePicture(guard: Guard, [text, picture]: readonly unknown[]): void {
  if (typeof text !== "string") return;
  guard.tick(text.length / 2);
  if (typeof picture !== "string") return;
  chargePicture(guard, picture);
  const parts = picture.split("[").length - 1;
  const runs = /[wWaAiINn]/.test(picture) ? [text] : (text.match(/[0-9]+/g) ?? []);
  const longest = Math.max(1, ...runs.map((run) => run.length));
  guard.tick(Math.min(longest ** parts, Number.MAX_SAFE_INTEGER));
}
