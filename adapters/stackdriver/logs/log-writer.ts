// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type CallContext,
  isPurserError,
  type LogEntryInstance,
  PurserError,
  type RefusedInstance,
  type ReportOutcome,
} from "../../../plugins/sdk/index.ts";
import { type ApiFailure, detailOf } from "../api/failure.ts";
import type { GoogleApi } from "../api/google-api.ts";
import { at, isRecord, numberAt, textAt } from "../api/json.ts";
import { type Item, type PartLimits, partsOf, sendInParts } from "../parts.ts";
import type { Origin } from "../resource.ts";
import type { EntryFormat } from "./entry.ts";
import { InsertIds } from "./insert-ids.ts";

/** Maximum size of a request is 10 MB (cloud.google.com/logging/quotas), here with room for ids and the resource. */
const LIMITS: PartLimits = { bytes: 9_000_000, items: 1000 };

/** Numbers of google.rpc.Code after which an entry may be accepted (google/rpc/code.proto). */
const RETRYABLE_CODES: ReadonlySet<number> = new Set([4, 8, 10, 13, 14]);

/** Writes log entries with entries.write. */
export class LogWriter {
  readonly #api: GoogleApi;
  readonly #format: EntryFormat;
  readonly #origin: Origin;
  readonly #insertIds: InsertIds;

  constructor(api: GoogleApi, format: EntryFormat, origin: Origin) {
    this.#api = api;
    this.#format = format;
    this.#origin = origin;
    this.#insertIds = new InsertIds(origin.task);
  }

  async write(instances: readonly LogEntryInstance[], call: CallContext): Promise<ReportOutcome> {
    const refused: RefusedInstance[] = [];
    const items = instances.flatMap((instance, index): readonly Item[] => {
      try {
        return [{ index, json: this.#format.json(instance) }];
      } catch (error) {
        if (!isPurserError(error)) throw error;
        refused.push({ index, error });
        return [];
      }
    });
    return sendInParts(partsOf(items, LIMITS), refused, (part) => this.#send(part, call));
  }

  async #send(part: readonly Item[], call: CallContext): Promise<readonly RefusedInstance[]> {
    const ids = part.map(({ json }) => this.#insertIds.take(json));
    try {
      return await this.#post(part, ids, call);
    } catch (error) {
      // The answer may be lost although the entries were written.
      if (isPurserError(error) && error.retryable)
        for (const [index, { json }] of part.entries()) this.#insertIds.keep(json, ids[index] as string);
      throw error;
    }
  }

  async #post(
    part: readonly Item[],
    ids: readonly string[],
    call: CallContext,
  ): Promise<readonly RefusedInstance[]> {
    const resource = JSON.stringify(this.#origin.resource);
    const entries = part.map(
      ({ json }, index) => `{"insertId":${JSON.stringify(ids[index])},${json.slice(1)}`,
    );
    const body = `{"partialSuccess":true,"resource":${resource},"entries":[${entries.join(",")}]}`;
    const failure = await this.#api.post("/v2/entries:write", body, call);
    if (failure === undefined) return [];
    const refused = refusedEntries(failure, part);
    if (refused === undefined) throw failure.error;
    return refused;
  }
}

/** The entries that the service refused while it wrote the others; undefined when it wrote none. */
function refusedEntries(
  { details }: ApiFailure,
  part: readonly Item[],
): readonly RefusedInstance[] | undefined {
  const partial = at(detailOf(details, "google.logging.v2.WriteLogEntriesPartialErrors"), "logEntryErrors");
  if (!isRecord(partial)) return undefined;
  return Object.entries(partial).flatMap(([position, status]) => {
    const item = part[Number(position)];
    if (item === undefined) return [];
    const message = `Cloud Logging refused an entry: ${(textAt(status, "message") ?? "").slice(0, 300)}`;
    const retryable = RETRYABLE_CODES.has(numberAt(status, "code") ?? 0);
    return [{ index: item.index, error: new PurserError("PURSER_HANDLER_FAILED", message, { retryable }) }];
  });
}
