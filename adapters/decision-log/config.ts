// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Choice, SecretField, type Static, Type } from "../../plugins/sdk/index.ts";

const MEBIBYTE = 1024 * 1024;

const Paths = (description: string) =>
  Type.Array(Type.String({ pattern: "^[^*\\s]+\\*?$" }), { description, default: [] });

export const Config = Type.Object({
  path: Type.String({
    minLength: 1,
    description: "The file to append to; a relative path starts at the process's working directory.",
  }),
  sample: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 1,
    description:
      "The share of requests to write, 0 to 1. The request's id decides, so that all replicas write the same requests.",
  }),
  always: Type.Array(
    Choice(
      ["denied", "shadow-denied"],
      "denied: refused requests; shadow-denied: requests that a shadow policy would refuse.",
    ),
    { default: ["denied"], description: "Requests that are written whatever the sample." },
  ),
  redact: Paths("More attributes to redact, such as request.headers.x-session or request.query_params.*"),
  hash: Paths("Attributes to replace by a keyed hash, so that quotas keyed by them can be replayed."),
  hashKey: Type.Optional(
    SecretField({
      description: "The key of the hashes, at least 16 characters; required when hash names an attribute.",
    }),
  ),
  maxFileBytes: Type.Integer({
    minimum: 0,
    default: 100 * MEBIBYTE,
    description: "The size in bytes at which the file is rotated; 0 for never.",
  }),
  keepFiles: Type.Integer({
    minimum: 0,
    maximum: 1000,
    default: 5,
    description: "Number of rotated files to keep; path.1 is the newest.",
  }),
});

export type DecisionLogConfig = Static<typeof Config>;
