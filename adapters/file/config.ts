// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  Choice,
  type ConfigFault,
  Duration,
  durationMs,
  type Static,
  Type,
} from "../../plugins/sdk/index.ts";

const MEBIBYTE = 1024 * 1024;

export const CONFIG = Type.Object({
  path: Type.String({
    minLength: 1,
    description:
      "The file to append to; a relative path starts at the process's working directory. Its folder must exist.",
  }),
  maxBytes: Type.Integer({
    minimum: 0,
    default: 100 * MEBIBYTE,
    description: "The size in bytes at which the file is rotated; 0 for never.",
  }),
  maxFiles: Type.Integer({
    minimum: 0,
    maximum: 1000,
    default: 10,
    description: "Number of rotated files to keep; path.1 is the newest.",
  }),
  interval: Type.Optional(
    Duration(
      "Rotates the file at each multiple of this time, in UTC, as 1h or 24h; at least 1s. Default: by its size alone.",
    ),
  ),
  gzip: Type.Boolean({
    default: false,
    description: "Compress rotated files, with .gz after their names.",
  }),
  fsync: Choice(
    ["never", "batch"],
    "batch: a batch has arrived when the disk has it; never: when the operating system has it.",
    { default: "never" },
  ),
  mode: Type.String({
    pattern: "^0?[0-7]{3}$",
    default: "0600",
    description: "Permissions of new files, in octal; the process's umask applies.",
  }),
  redact: Type.Array(Type.String({ pattern: "^[^*\\s]+\\*?$" }), {
    default: [],
    description:
      "More attributes to redact in decisions, such as request.headers.x-session or request.query_params.*",
  }),
});

export type FileConfig = Static<typeof CONFIG>;

const MIN_INTERVAL_MS = 1000;

export function faultsOf({ path, interval, gzip, maxBytes }: FileConfig): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  if (path.includes("\0")) faults.push({ path: ["path"], message: "path must not contain a NUL character" });
  if (interval !== undefined && durationMs(interval) < MIN_INTERVAL_MS)
    faults.push({ path: ["interval"], message: "interval must be 1s at least" });
  if (gzip && maxBytes === 0 && interval === undefined) {
    const message = "gzip compresses rotated files, but with maxBytes: 0 and no interval no file is rotated";
    faults.push({ path: ["gzip"], message });
  }
  return faults;
}
