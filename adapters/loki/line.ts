// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type LogEntryInstance, toJson } from "../../plugins/sdk/index.ts";

/** The members of a line, before it is written. */
export type Members = Readonly<Record<string, unknown>>;

/** Members of a log entry's line that are not variables. */
const OWN: ReadonlySet<string> = new Set(["severity", "name"]);

/** A log entry's line: severity, name, then the variables in their order; a variable of such a name gets a `_` before it. */
export function membersOf({ severity, name, variables }: LogEntryInstance): Members {
  const renamed = Object.entries(variables).map(([key, value]) => [OWN.has(key) ? `_${key}` : key, value]);
  return Object.fromEntries([["severity", severity], ["name", name], ...renamed]) as Members;
}

/** The member that tells that others were left out; its value is their number. */
const CUT = "_cut";

/** Bytes that the mark of a cut line takes at most: its member with a number of 16 digits. */
const CUT_BYTES = Buffer.byteLength(`,"${CUT}":`) + 16;

/**
 * JSON of the members; members that do not fit into `maxBytes` are left out and counted in a last member `_cut`.
 *
 * @param write Writes a value; undefined leaves the member out.
 */
export function lineOf(
  members: Members,
  maxBytes: number,
  write: (value: unknown) => string | undefined = toJson,
): string {
  const parts: string[] = [];
  let bytes = 2;
  let cut = 0;
  for (const [key, value] of Object.entries(members)) {
    const json = write(value);
    if (json === undefined) continue;
    const part = `${toJson(key)}:${json}`;
    const size = Buffer.byteLength(part) + 1;
    if (bytes + size + CUT_BYTES > maxBytes) cut++;
    else {
      parts.push(part);
      bytes += size;
    }
  }
  if (cut > 0) parts.push(`"${CUT}":${cut}`);
  return `{${parts.join(",")}}`;
}

/** Lone surrogates, which UTF-8 cannot encode. */
const HALF_A_PAIR = /\p{Surrogate}/gu;

/** The text of the member at `source`: its own name, or a path with dots. undefined when it is absent, null or empty. */
export function textAt(members: Members, source: string): string | undefined {
  const value = Object.hasOwn(members, source) ? members[source] : valueAtPath(members, source.split("."));
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value.replaceAll(HALF_A_PAIR, "\ufffd");
  // NaN and the infinities are null in JSON.
  return typeof value === "number" ? String(value) : toJson(value);
}

function valueAtPath(members: Members, path: readonly string[]): unknown {
  let value: unknown = members;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Members)[step];
  }
  return value;
}
