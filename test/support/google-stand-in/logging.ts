// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Fields, fieldsAt, instantAt, int64At, isFields, labelsAt, listAt, textAt } from "./fields.ts";
import { invalid, invalidField, RpcError } from "./status.ts";

/** Limits of cloud.google.com/logging/quotas. */
const MAX_REQUEST_BYTES = 10_000_000;
const MAX_ENTRY_BYTES = 256 * 1024;
const MAX_LABELS = 64;
const MAX_LABEL_KEY_BYTES = 512;
const MAX_LABEL_VALUE_BYTES = 64 * 1024;
const MAX_AHEAD_MS = 86_400_000;

const SEVERITIES = "DEFAULT DEBUG INFO NOTICE WARNING ERROR CRITICAL ALERT EMERGENCY".split(" ");

/** An entry as it was written, with the fields that the request stated for all. */
export type ReceivedEntry = Fields & { readonly logName: string; readonly insertId: string };

/** Cloud Logging v2, as far as entries.write goes. */
export class Logging {
  readonly #nowMs: () => number;
  /** By log, time and insertId: an entry with the id of another one is the same entry. */
  readonly #entries = new Map<string, ReceivedEntry>();
  #ids = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get entries(): readonly ReceivedEntry[] {
    return [...this.#entries.values()];
  }

  /** @param spoiled Positions that are refused although nothing is wrong with them. */
  write(body: unknown, bytes: number, spoiled: ReadonlySet<number>): Record<string, never> {
    if (bytes > MAX_REQUEST_BYTES)
      throw invalid(`Request payload size exceeds the limit: ${MAX_REQUEST_BYTES} bytes.`);
    const request = fieldsAt(body, "body");
    const list = listAt(request["entries"], "entries");
    const common = { logName: request["logName"], resource: request["resource"], labels: request["labels"] };
    const refused = new Map<number, RpcError>();
    const valid: ReceivedEntry[] = [];
    for (const [index, entry] of list.entries()) {
      try {
        if (spoiled.has(index)) throw new RpcError("UNAVAILABLE", "The service is currently unavailable.");
        valid.push(this.#entryAt(entry, common, `entries[${index}]`));
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        refused.set(index, error);
      }
    }
    const [first] = refused.values();
    if (first !== undefined && request["partialSuccess"] !== true) throw first;
    for (const entry of valid)
      this.#entries.set(`${entry.logName} ${String(entry["timestamp"])} ${entry.insertId}`, entry);
    if (first === undefined) return {};
    throw new RpcError(first.code, first.message, [
      {
        "@type": "type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors",
        logEntryErrors: Object.fromEntries(
          [...refused].map(([index, { number, message }]) => [index, { code: number, message }]),
        ),
      },
    ]);
  }

  #entryAt(value: unknown, common: Fields, path: string): ReceivedEntry {
    const own = fieldsAt(value, path);
    if (Buffer.byteLength(JSON.stringify(own)) > MAX_ENTRY_BYTES)
      throw invalid(`Log entry with size larger than the limit of ${MAX_ENTRY_BYTES} bytes`);
    const entry: Fields & { readonly labels: unknown } = {
      ...common,
      ...own,
      labels: { ...(common["labels"] as object), ...(own["labels"] as object) },
    };
    const logName = textAt(entry["logName"], `${path}.logName`);
    if (!/^projects\/[^/]+\/logs\/[A-Za-z0-9_.%-]{1,511}$/.test(logName))
      throw invalidField(`${path}.logName`, `"${logName}" is not a log's name.`);
    textAt(fieldsAt(entry["resource"], `${path}.resource`)["type"], `${path}.resource.type`);
    this.#assertTime(entry["timestamp"], `${path}.timestamp`);
    assertLabels(labelsAt(entry.labels, `${path}.labels`), `${path}.labels`);
    const severity = textAt(entry["severity"] ?? "DEFAULT", `${path}.severity`);
    if (!SEVERITIES.includes(severity))
      throw invalidField(`${path}.severity`, `"${severity}" is no severity.`);
    if (!isFields(entry["jsonPayload"]) && typeof entry["textPayload"] !== "string")
      throw invalidField(path, "a payload is required.");
    if (entry["httpRequest"] !== undefined)
      assertHttpRequest(fieldsAt(entry["httpRequest"], `${path}.httpRequest`), path);
    if (entry["spanId"] !== undefined && !/^[0-9a-f]{16}$/.test(textAt(entry["spanId"], `${path}.spanId`)))
      throw invalidField(`${path}.spanId`, "16 hexadecimal digits are required.");
    const insertId = textAt(entry["insertId"] ?? `stand-in-${this.#ids++}`, `${path}.insertId`);
    return { ...entry, logName, insertId };
  }

  #assertTime(value: unknown, path: string): void {
    if (value === undefined) return;
    if (instantAt(value, path) > this.#nowMs() + MAX_AHEAD_MS)
      throw invalidField(path, "the time is more than a day in the future.");
  }
}

function assertLabels(labels: Readonly<Record<string, string>>, path: string): void {
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) throw invalidField(path, `more than ${MAX_LABELS} labels.`);
  for (const [key, value] of entries) {
    if (Buffer.byteLength(key) > MAX_LABEL_KEY_BYTES) throw invalidField(path, "a key is too long.");
    if (Buffer.byteLength(value) > MAX_LABEL_VALUE_BYTES) throw invalidField(path, "a value is too long.");
  }
}

const HTTP_TEXTS = "requestMethod requestUrl userAgent remoteIp serverIp referer protocol".split(" ");

function assertHttpRequest(request: Fields, path: string): void {
  for (const [field, value] of Object.entries(request)) {
    const at = `${path}.httpRequest.${field}`;
    if (HTTP_TEXTS.includes(field)) textAt(value, at);
    else if (field === "requestSize" || field === "responseSize") int64At(value, at);
    else if (field === "status") {
      if (!Number.isInteger(value)) throw invalidField(at, "an int32 is required.");
    } else if (field !== "latency" || !/^\d{1,12}(\.\d{1,9})?s$/.test(String(value)))
      throw invalidField(at, "there is no such field, or it has another form.");
  }
}
