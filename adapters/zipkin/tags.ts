// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { toJson, type TraceSpanInstance } from "../../plugins/sdk/index.ts";

/** Maximum number of tags of a span; the first are kept. */
const MAX_TAGS = 256;

/** Maximum length of a text, in characters. */
const MAX_TEXT_LENGTH = 8192;

/** Statuses from here on are the server's errors, which Zipkin shows by the tag `error`. */
const SERVER_ERROR = 500;

/** Tags as Zipkin demands: texts. Absent values are left out. */
export function tagsOf({ tags, httpStatusCode }: TraceSpanInstance): Readonly<Record<string, string>> {
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(tags)) {
    const text = textOf(value);
    if (text !== undefined && texts.size < MAX_TAGS) texts.set(cut(name), text);
  }
  if (httpStatusCode !== undefined) {
    const status = String(httpStatusCode);
    if (!texts.has("http.status_code")) texts.set("http.status_code", status);
    if (httpStatusCode >= SERVER_ERROR && !texts.has("error")) texts.set("error", status);
  }
  return Object.fromEntries(texts);
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  if (typeof value === "bigint") return cut(String(value));
  if (typeof value === "string") return cut(value);
  const json = value === null ? undefined : toJson(value);
  return json === undefined ? undefined : cut(json);
}

/** The text, cut with a mark when it is too long. */
export function cut(text: string): string {
  if (text.length <= MAX_TEXT_LENGTH) return text;
  return `${text.slice(0, MAX_TEXT_LENGTH)}… (${text.length - MAX_TEXT_LENGTH} more characters)`;
}
