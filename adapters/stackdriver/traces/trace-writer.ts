// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type CallContext,
  isPurserError,
  type RefusedInstance,
  type ReportOutcome,
  type TraceSpanInstance,
} from "../../../plugins/sdk/index.ts";
import type { GoogleApi } from "../api/google-api.ts";
import { type Item, type PartLimits, partsOf, sendInParts } from "../parts.ts";
import { spanOf } from "./span.ts";

/** Far below every limit of the service; a span is some 20 KB at most. */
const LIMITS: PartLimits = { bytes: 4_000_000, items: 1000 };

/** Writes spans with traces.batchWrite, which accepts all spans of a call or none. */
export class TraceWriter {
  readonly #api: GoogleApi;
  readonly #project: string;

  constructor(api: GoogleApi, project: string) {
    this.#api = api;
    this.#project = project;
  }

  async write(instances: readonly TraceSpanInstance[], call: CallContext): Promise<ReportOutcome> {
    const refused: RefusedInstance[] = [];
    const items = instances.flatMap((instance, index): readonly Item[] => {
      try {
        return [{ index, json: JSON.stringify(spanOf(this.#project, instance)) }];
      } catch (error) {
        if (!isPurserError(error)) throw error;
        refused.push({ index, error });
        return [];
      }
    });
    return sendInParts(partsOf(items, LIMITS), refused, (part) => this.#send(part, call));
  }

  async #send(part: readonly Item[], call: CallContext): Promise<readonly RefusedInstance[]> {
    const body = `{"spans":[${part.map(({ json }) => json).join(",")}]}`;
    const failure = await this.#api.post(`/v2/projects/${this.#project}/traces:batchWrite`, body, call);
    if (failure !== undefined) throw failure.error;
    return [];
  }
}
