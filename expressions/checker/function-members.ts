// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { oneOf } from "./forms/words.ts";
import { always, type Shape } from "./kinds.ts";

const DAY_NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

/** Objects that functions give with the same members each time. */
const MEMBERS: ReadonlyMap<string, ReadonlyMap<string, Shape>> = new Map([
  [
    "inZone",
    new Map<string, Shape>([
      ...["year", "month", "day", "weekday", "hour", "minute", "second"].map(
        (name) => [name, always("number")] as const,
      ),
      ...["date", "time"].map((name) => [name, always("string")] as const),
      ["weekdayName", { ...always("string"), form: oneOf(DAY_NAMES) }],
    ]),
  ],
]);

export function membersOfCall(name: string): ReadonlyMap<string, Shape> | undefined {
  return MEMBERS.get(name);
}
