// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { LogEntryInstance } from "../../../plugins/sdk/index.ts";
import type { StackdriverConfig } from "../config.ts";
import { unfit } from "../parts.ts";
import { cutBytes, rfc3339, textOf } from "../text.ts";
import { httpRequestOf } from "./http-request.ts";
import { cutPayload, payloadOf } from "./payload.ts";

/** Maximum size of an entry, in bytes (cloud.google.com/logging/quotas: 256 KiB). The service measures its own form of it. */
const MAX_ENTRY_BYTES = 250 * 1024;

/** Maximum sizes of labels, in bytes (cloud.google.com/logging/quotas). */
const MAX_LABEL_KEY_BYTES = 512;
const MAX_LABEL_VALUE_BYTES = 64 * 1024;

/** Maximum length of a log's id after encoding, in characters (google/logging/v2/log_entry.proto: less than 512). */
const MAX_LOG_ID = 500;

/** Lengths in characters to which the texts of an entry that is too large are cut, one after the other. */
const CUTS = [1024, 128] as const;

/** Makes entries of google.logging.v2 from instances. */
export class EntryFormat {
  readonly #project: string;
  readonly #config: StackdriverConfig["logs"];
  /** Variables that are in labels or other fields, and so not in the payload. */
  readonly #elsewhere: ReadonlySet<string>;

  constructor({ project, logs }: Pick<StackdriverConfig, "project" | "logs">) {
    this.#project = project;
    this.#config = logs;
    const fields = [...Object.values(logs.httpRequest), logs.trace, logs.span];
    this.#elsewhere = new Set([...logs.labels, ...fields.filter((name) => name !== undefined)]);
  }

  /**
   * The entry's JSON, without its id. Texts of an entry that is too large are cut, with a mark.
   *
   * @throws PurserError, not retryable, when the entry is too large even so.
   */
  json(instance: LogEntryInstance): string {
    const rest = Object.entries(instance.variables).filter(([name]) => !this.#elsewhere.has(name));
    const payload = payloadOf(Object.fromEntries(rest));
    const frame = this.#frameOf(instance);
    for (const cut of [undefined, ...CUTS]) {
      const jsonPayload = cut === undefined ? payload : cutPayload(payload, cut);
      const json = JSON.stringify({ ...frame, jsonPayload });
      if (Buffer.byteLength(json) <= MAX_ENTRY_BYTES) return json;
    }
    throw unfit(`an entry of the log ${instance.name} is larger than ${MAX_ENTRY_BYTES} bytes`);
  }

  #frameOf(instance: LogEntryInstance): Readonly<Record<string, unknown>> {
    const { name, severity, timestampMs, variables } = instance;
    const { prefix, labels, httpRequest, trace, span } = this.#config;
    const timestamp = rfc3339(timestampMs);
    const request = httpRequestOf(httpRequest, variables);
    const traceId = idOf(variables, trace, TRACE_ID);
    const spanId = idOf(variables, span, SPAN_ID);
    const made = labels.flatMap((label) => {
      const value = Object.hasOwn(variables, label) ? variables[label] : undefined;
      if (value === undefined || value === null) return [];
      const key = cutBytes(label, MAX_LABEL_KEY_BYTES).text;
      return [[key, cutBytes(textOf(value), MAX_LABEL_VALUE_BYTES).text] as const];
    });
    return {
      logName: `projects/${this.#project}/logs/${logIdOf(`${prefix}${name}`)}`,
      // Without a time, the service takes the time of arrival.
      ...(timestamp === undefined ? {} : { timestamp }),
      severity,
      ...(made.length === 0 ? {} : { labels: Object.fromEntries(made) }),
      ...(request === undefined ? {} : { httpRequest: request }),
      ...(traceId === undefined ? {} : { trace: `projects/${this.#project}/traces/${traceId}` }),
      ...(spanId === undefined ? {} : { spanId }),
    };
  }
}

const TRACE_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;

function idOf(
  variables: Readonly<Record<string, unknown>>,
  variable: string | undefined,
  form: RegExp,
): string | undefined {
  const value =
    variable !== undefined && Object.hasOwn(variables, variable) ? variables[variable] : undefined;
  const id = typeof value === "string" && value.length <= 32 ? value.toLowerCase() : "";
  return form.test(id) && !/^0+$/.test(id) ? id : undefined;
}

/** A log's id has letters, digits and `/ _ - .`; in a log's name, `/` is encoded. */
function logIdOf(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9/_.-]/gu, "_");
  return encodeURIComponent(plain === "" ? "_" : plain).slice(0, MAX_LOG_ID);
}
