// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { JsonRecords } from "../../plugins/sdk/index.ts";

/** An event before its encoding. */
export interface Event {
  readonly tag: string;
  readonly timeMs: number;
  readonly record: Readonly<Record<string, unknown>>;
}

export type EventTemplate = keyof JsonRecords;

/** The tag of an instance: white space and control characters, which no match pattern of a server has, become `_`. */
export function tagOf(pattern: string, template: EventTemplate, name: string): string {
  return pattern
    .replaceAll("{template}", template)
    .replaceAll("{name}", () => name.replaceAll(/[\s\p{C}]/gu, "_"));
}

/** The record of an instance's JSON, without the time, which the event has itself. */
export function recordOf(json: string): Readonly<Record<string, unknown>> {
  const { time: _, ...record } = JSON.parse(wellFormed(json)) as Record<string, unknown>;
  return record;
}

/**
 * JSON without lone surrogates, which MessagePack cannot encode as UTF-8: they become U+FFFD. JSON.stringify escapes them, and no
 * others, as `\udXXX`.
 */
function wellFormed(json: string): string {
  if (!json.includes("\\ud")) return json;
  return json.replaceAll(/\\(?:(ud[89a-f][0-9a-f]{2})|.)/g, (escape, surrogate?: string) =>
    surrogate === undefined ? escape : "\\ufffd",
  );
}
