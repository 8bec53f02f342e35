// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Fields, fieldsAt, instantAt, int64At, listAt, textAt } from "./fields.ts";
import { invalid, invalidField } from "./status.ts";

/** Limits in the comments of google/devtools/cloudtrace/v2/trace.proto. */
const MAX_NAME_BYTES = 128;
const MAX_ATTRIBUTES = 32;
const MAX_KEY_BYTES = 128;
const MAX_VALUE_BYTES = 256;

export type ReceivedSpan = Fields & { readonly name: string; readonly spanId: string };

/** Cloud Trace v2, as far as traces.batchWrite goes: all spans of a call are written, or none. */
export class Trace {
  readonly #spans: ReceivedSpan[] = [];

  get spans(): readonly ReceivedSpan[] {
    return this.#spans;
  }

  batchWrite(project: string, body: unknown): Record<string, never> {
    const list = listAt(fieldsAt(body, "body")["spans"], "spans");
    this.#spans.push(...list.map((span, index) => spanAt(project, span, `spans[${index}]`)));
    return {};
  }
}

function spanAt(project: string, value: unknown, path: string): ReceivedSpan {
  const span = fieldsAt(value, path);
  const name = textAt(span["name"], `${path}.name`);
  const spanId = textAt(span["spanId"], `${path}.spanId`);
  const [, named, trace = "", last] =
    /^projects\/([^/]+)\/traces\/([0-9a-f]{32})\/spans\/([0-9a-f]{16})$/.exec(name) ?? [];
  if (named !== project) throw invalidField(`${path}.name`, "it is not a span of the project.");
  if (last !== spanId || /^0+$/.test(trace) || /^0+$/.test(spanId))
    throw invalidField(`${path}.spanId`, "the ids are not valid.");
  const parent = span["parentSpanId"];
  if (parent !== undefined && !/^[0-9a-f]{16}$/.test(textAt(parent, `${path}.parentSpanId`)))
    throw invalidField(`${path}.parentSpanId`, "16 hexadecimal digits are required.");
  assertTruncatable(span["displayName"], MAX_NAME_BYTES, `${path}.displayName`);
  const startMs = instantAt(span["startTime"], `${path}.startTime`);
  if (instantAt(span["endTime"], `${path}.endTime`) < startMs)
    throw invalidField(`${path}.endTime`, "the span ends before it starts.");
  assertAttributes(span["attributes"], `${path}.attributes`);
  return { ...span, name, spanId };
}

function assertAttributes(value: unknown, path: string): void {
  if (value === undefined) return;
  const attributes = Object.entries(
    fieldsAt(fieldsAt(value, path)["attributeMap"] ?? {}, `${path}.attributeMap`),
  );
  if (attributes.length > MAX_ATTRIBUTES) throw invalidField(path, `more than ${MAX_ATTRIBUTES} attributes.`);
  for (const [key, attribute] of attributes) {
    if (key === "" || Buffer.byteLength(key) > MAX_KEY_BYTES)
      throw invalidField(path, "a key is empty or too long.");
    const [[kind, inner] = [], ...more] = Object.entries(fieldsAt(attribute, `${path}.${key}`));
    if (more.length > 0) throw invalid(`${path}.${key} has several values.`);
    if (kind === "stringValue") assertTruncatable(inner, MAX_VALUE_BYTES, `${path}.${key}`);
    else if (kind === "intValue") int64At(inner, `${path}.${key}`);
    else if (kind !== "boolValue" || typeof inner !== "boolean")
      throw invalidField(`${path}.${key}`, "it has no value.");
  }
}

/** A TruncatableString. */
function assertTruncatable(value: unknown, maxBytes: number, path: string): void {
  const text = textAt(fieldsAt(value, path)["value"], `${path}.value`);
  if (Buffer.byteLength(text) > maxBytes)
    throw invalidField(`${path}.value`, `longer than ${maxBytes} bytes.`);
}
