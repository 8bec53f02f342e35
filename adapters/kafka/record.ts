// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import {
  createDecisionLine,
  type DecisionInstance,
  type LogEntryInstance,
  type MetricInstance,
  type TemplateName,
  toJson,
  type TraceSpanInstance,
} from "../../plugins/sdk/index.ts";
import type { Config } from "./config.ts";
import type { KafkaRecord } from "./driver.ts";
import { type FieldReader, fieldReader } from "./field-path.ts";
import { topicOf } from "./topic.ts";

type Instance = MetricInstance | LogEntryInstance | TraceSpanInstance | DecisionInstance;

/** Range of ECMAScript times; toISOString throws outside it. */
const MAX_TIME_MS = 8.64e15;

/** Bytes of a record besides key, value and headers: lengths, offset, timestamp. A header has two lengths. */
const RECORD_OVERHEAD = 32;
const HEADER_OVERHEAD = 10;

/** Makes the records of instances. An instance that is sent again gives the same record, with the same CloudEvents id. */
export class Records {
  readonly #config: Config;
  readonly #handler: string;
  readonly #key: FieldReader | undefined;
  readonly #headers: readonly (readonly [name: string, read: FieldReader])[];
  readonly #lineOf: ReturnType<typeof createDecisionLine>;
  readonly #made = new WeakMap<object, KafkaRecord>();

  constructor(config: Config, handler: string) {
    const { key, headers, redact } = config;
    this.#config = config;
    this.#handler = handler;
    this.#key = key === undefined ? undefined : fieldReader(key, redact);
    this.#headers = Object.entries(headers).map(([name, path]) => [name, fieldReader(path, redact)]);
    this.#lineOf = createDecisionLine({ redact, hash: [], hashKey: "" });
  }

  /** The record's key, without making the record. */
  keyOf(template: TemplateName, instance: unknown): string | undefined {
    return this.#key?.(template, instance);
  }

  of(template: TemplateName, instance: Instance): KafkaRecord {
    const known = this.#made.get(instance);
    if (known !== undefined) return known;
    const record = this.#make(template, instance);
    this.#made.set(instance, record);
    return record;
  }

  #make(template: TemplateName, instance: Instance): KafkaRecord {
    const { topic, format } = this.#config;
    const key = this.keyOf(template, instance);
    const headers: Record<string, string> = {};
    for (const [name, read] of this.#headers) {
      const value = read(template, instance);
      if (value !== undefined) headers[name] = value;
    }
    let value = this.#dataOf(template, instance);
    if (format !== "json") {
      const event = this.#eventOf(template, instance);
      if (format === "cloudevents-structured") {
        headers["content-type"] = "application/cloudevents+json; charset=UTF-8";
        value = `${JSON.stringify(event).slice(0, -1)},"datacontenttype":"application/json","data":${value}}`;
      } else {
        headers["content-type"] = "application/json";
        for (const [name, attribute] of Object.entries(event)) headers[`ce_${name}`] = attribute;
      }
    }
    const { name } = instance;
    const place = topicOf(topic, { template, name, handler: this.#handler });
    return { topic: place, key, value, headers, bytes: sizeOf(key, value, headers) };
  }

  /** The instance as JSON; a decision as a line of a decision log, which `purser replay` reads. */
  #dataOf(template: TemplateName, instance: Instance): string {
    if (template !== "decision") return toJson(instance) ?? "{}";
    // The line is plain JSON already; toJson would cut its texts again.
    return JSON.stringify(this.#lineOf(instance as DecisionInstance));
  }

  /** The attributes of a CloudEvents 1.0 event. */
  #eventOf(template: TemplateName, instance: Instance): Readonly<Record<string, string>> {
    const timeMs = "timestampMs" in instance ? instance.timestampMs : instance.endMs;
    return {
      specversion: "1.0",
      id: randomUUID(),
      source: this.#config.source.replaceAll("{handler}", uriPart(this.#handler)),
      type: `dev.purser.${template}.v1`,
      // The specification allows no empty subject, and no other form of time.
      ...(instance.name === "" ? {} : { subject: instance.name }),
      ...(Math.abs(timeMs) <= MAX_TIME_MS ? { time: new Date(timeMs).toISOString() } : {}),
    };
  }
}

/** A part of a URI. Lone surrogates, which UTF-8 cannot encode, become U+FFFD. */
function uriPart(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, "\ufffd"));
}

function sizeOf(key: string | undefined, value: string, headers: Readonly<Record<string, string>>): number {
  let bytes = RECORD_OVERHEAD + Buffer.byteLength(value) + Buffer.byteLength(key ?? "");
  for (const [name, text] of Object.entries(headers)) {
    bytes += HEADER_OVERHEAD + Buffer.byteLength(name) + Buffer.byteLength(text);
  }
  return bytes;
}
