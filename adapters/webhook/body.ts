// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type TemplateName, toJson } from "../../plugins/sdk/index.ts";

/** Facts about a request, beside its items. */
export interface Envelope {
  readonly id: string;
  readonly handler: string;
  readonly template: TemplateName;
  /** 1 for the first try. */
  readonly attempt: number;
}

/** A way to write a body: `before`, the items' JSON with `separator` between them, `after`. */
export interface BodyFormat {
  readonly contentType: string;
  readonly separator: string;
  before(envelope: Envelope): string;
  readonly after: string;
}

export function bodyFormat(format: "json" | "jsonl", hasEnvelope: boolean): BodyFormat {
  if (format === "jsonl")
    return { contentType: "application/x-ndjson", separator: "\n", before: () => "", after: "\n" };
  const contentType = "application/json";
  if (!hasEnvelope) return { contentType, separator: ",", before: () => "[", after: "]" };
  const before = (envelope: Envelope): string => `${(toJson(envelope) as string).slice(0, -1)},"items":[`;
  return { contentType, separator: ",", before, after: "]}" };
}
