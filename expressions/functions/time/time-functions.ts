// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../../errors/expression-error.ts";
import type { Guard } from "../../runtime/guard.ts";
import { chargeTimePicture, chargePictures, checkPicture } from "../pictures.ts";
import type { FunctionDefinition } from "../definition.ts";
import { invokeOf } from "../reference-invoke.ts";
import { isoMillis, isoText } from "./iso-time.ts";

const FROM_MILLIS = invokeOf("fromMillis", { cost: chargePictures });
const TO_MILLIS = invokeOf("toMillis", { cost: chargeTimePicture });

const TO_MILLIS_PICTURE =
  "$toMillis takes ISO 8601 alone: with a picture it matches by backtracking and depends on the time of day";

/** The time of an evaluation, and times as text. */
export const TIME_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "now",
    signature: "<s?s?:s>",
    varies: "with time",
    invoke: (guard, [picture, timezone]) => formatTime(guard, guard.nowMs, picture, timezone),
    restriction: { refuse: ([picture]) => checkPicture(picture) },
  },
  {
    name: "millis",
    signature: "<:n>",
    varies: "with time",
    invoke: (guard) => guard.nowMs,
    fastPaths: [{ kind: "time" }],
  },
  {
    name: "toMillis",
    signature: "<s-s?:n>",
    invoke: (guard, [text, picture]) => parseTime(guard, text, picture),
    fastPaths: [{ kind: "typed", types: ["string"], run: isoMillis }],
    restriction: {
      refuse([, picture]) {
        if (picture !== undefined) throw new ExpressionError("D3136", TO_MILLIS_PICTURE);
      },
      mostArguments: { count: 1, reason: TO_MILLIS_PICTURE },
    },
  },
  {
    name: "fromMillis",
    signature: "<n-s?s?:s>",
    invoke: (guard, [millis, picture, timezone]) => formatTime(guard, millis, picture, timezone),
    fastPaths: [
      {
        kind: "typed",
        types: ["number"],
        isGuarded: true,
        run: (guard: Guard, millis: number) => isoText(millis, guard.lastDate),
      },
    ],
    restriction: { refuse: ([, picture]) => checkPicture(picture) },
  },
];

function formatTime(guard: Guard, millis: unknown, picture: unknown, timezone: unknown): unknown {
  const fast =
    picture === undefined && timezone === undefined && typeof millis === "number"
      ? isoText(millis, guard.lastDate)
      : undefined;
  return fast ?? FROM_MILLIS(guard, [millis, picture, timezone], undefined);
}

function parseTime(guard: Guard, text: unknown, picture: unknown): unknown {
  const fast = picture === undefined && typeof text === "string" ? isoMillis(text) : undefined;
  return fast ?? TO_MILLIS(guard, [text, picture], undefined);
}
