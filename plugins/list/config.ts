// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  Choice,
  Closed,
  Duration,
  SecretField,
  type Static,
  STATUS_CODES,
  type StatusCode,
  Type,
} from "../sdk/index.ts";

const ENTRY_TYPES = ["exact", "case-insensitive", "cidr", "glob", "regex"] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

const REFUSALS = STATUS_CODES.filter((code): code is Exclude<StatusCode, "OK"> => code !== "OK");

/** What the host's HTTP client reads at most. */
const MAX_BYTES = 4 * 1024 * 1024;

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
  onUnavailable: Choice(
    ["deny", "allow"],
    "The answer until the file has been read for the first time; not for the URL.",
    {
      default: "deny",
    },
  ),
  url: Type.Optional(
    Type.String({
      description:
        "An http or https URL of more entries, in the form of the file. Until its first copy has been loaded, an answer that " +
        "depends on it is an error, which the Rule's onError decides.",
    }),
  ),
  token: Type.Optional(SecretField({ description: "Sent to the URL as a bearer token." })),
  refresh: Duration("Time between loads of the URL, at random up to 10 % less or more; 1s at least.", {
    default: "60s",
  }),
  timeout: Duration("Longest time of one load of the URL.", { default: "10s" }),
  maxBytes: Type.Integer({
    minimum: 1,
    maximum: MAX_BYTES,
    default: MAX_BYTES,
    description: "Largest copy of the URL, in bytes; a larger one is refused.",
  }),
  maxEntries: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      description:
        "Most entries of a copy of the URL; a copy with more is refused. Default 100000, and 1000 for glob and regex, which are " +
        "tried one after the other.",
    }),
  ),
  staleAfter: Type.Optional(
    Duration(
      "Age at which the last good copy of the URL counts as stale, since it was last confirmed; never when absent.",
    ),
  ),
  onStale: Choice(
    ["keep", "fail"],
    "keep: a stale copy stays in force, with a warning in the log; fail: an answer that depends on it is an error.",
    { default: "keep" },
  ),
  status: Closed(
    {
      code: Choice(REFUSALS, "The status of a refusal.", { default: "PERMISSION_DENIED" }),
      message: Type.String({ default: "refused by a list", description: "Message to the client." }),
    },
    { default: {}, description: "The reply to a refused request." },
  ),
  validDuration: Type.Optional(
    Duration(
      "How long a proxy may reuse an answer; default 10s, or 5s with a file or URL. A change there takes that long to have effect.",
    ),
  ),
  validUseCount: Type.Integer({
    minimum: 1,
    default: 10_000,
    description: "How often a proxy may reuse an answer.",
  }),
});

export type Config = Static<typeof CONFIG>;
