// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Choice, Closed, Duration, type Static, STATUS_CODES, type StatusCode, Type } from "../sdk/index.ts";

const ENTRY_TYPES = ["exact", "case-insensitive", "cidr", "glob", "regex"] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

const REFUSALS = STATUS_CODES.filter((code): code is Exclude<StatusCode, "OK"> => code !== "OK");

export const CONFIG = Type.Object({
  mode: Choice(
    ["allow", "deny"],
    "allow: refuse values that are not on the list; deny: refuse values that are on it.",
    {
      default: "allow",
    },
  ),
  type: Choice(
    ENTRY_TYPES,
    "How entries are compared: exact, case-insensitive, cidr (addresses and blocks of them), glob (* ** ? [a-z] {a,b}), " +
      "regex (RE2, of the whole value).",
    { default: "exact" },
  ),
  entries: Type.Array(Type.String({ minLength: 1 }), { default: [], description: "Entries of the list." }),
  file: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "A file with more entries, one per line, # for comments. The file is watched; a relative path starts at this document.",
    }),
  ),
  onUnavailable: Choice(["deny", "allow"], "The answer until the file has been read for the first time.", {
    default: "deny",
  }),
  status: Closed(
    {
      code: Choice(REFUSALS, "The status of a refusal.", { default: "PERMISSION_DENIED" }),
      message: Type.String({ default: "refused by a list", description: "Message to the client." }),
    },
    { default: {}, description: "The reply to a refused request." },
  ),
  validDuration: Type.Optional(
    Duration(
      "How long a proxy may reuse an answer; default 10s, or 5s with a file. A change of the file takes that long to have effect.",
    ),
  ),
  validUseCount: Type.Integer({
    minimum: 1,
    default: 10_000,
    description: "How often a proxy may reuse an answer.",
  }),
});

export type Config = Static<typeof CONFIG>;
