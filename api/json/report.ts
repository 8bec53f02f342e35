// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import type { ReportRequest } from "../mixer-service.ts";
import { BagChanger, type BagChanges, changesBetween } from "./bag-changes.ts";
import { invalidRequest } from "./faults.ts";
import { createDecoder } from "./schema/decoder.ts";
import { exactly } from "./schema/exactly.ts";
import { Bag, closed, Identifier } from "./schema/fields.ts";

/** `POST` a ReportMessage; 204 without a body. */
export const REPORT_PATH = "/v1/report";

/** Maximum number of bags in a report. */
const MAX_BAGS = 10_000;

/** A ReportRequest, of whose bags the later ones may be told by what changes. */
export interface ReportMessage extends ReportRequest {
  /** Further bags, each as its difference from the bag before it. */
  readonly changes?: readonly BagChanges[];
}

export const ReportMessageSchema = exactly<ReportMessage>()(
  closed({
    bags: Type.Array(Bag, { maxItems: MAX_BAGS }),
    changes: Type.Optional(Type.Array(Bag, { maxItems: MAX_BAGS })),
    deduplicationId: Type.Optional(Identifier),
  }),
);

const decodeMessage = createDecoder(ReportMessageSchema, invalidRequest);

export function encodeReportRequest(request: ReportRequest): ReportMessage {
  const { bags } = request;
  const [first] = bags;
  if (first === undefined || bags.length === 1) return request;
  const changes: BagChanges[] = [];
  for (let index = 1; index < bags.length; index++)
    changes.push(changesBetween(bags[index - 1] as AttributeBag, bags[index] as AttributeBag));
  return { ...request, bags: [first], changes };
}

/**
 * @throws {PurserError} PURSER_REQUEST_INVALID, naming the field; PURSER_REQUEST_TOO_LARGE for bags that are
 *   too large together.
 */
export function decodeReportRequest(body: unknown): ReportRequest {
  const message = decodeMessage(body);
  const { bags: whole, changes, deduplicationId } = message;
  if (changes === undefined) return message;
  const bags = [...whole];
  if (bags.length + changes.length > MAX_BAGS)
    throw invalidRequest(`bags and changes must not have more than ${MAX_BAGS} items together`);
  const changer = new BagChanger();
  for (const change of changes) bags.push(changer.changed(bags[bags.length - 1] ?? {}, change));
  return deduplicationId === undefined ? { bags } : { bags, deduplicationId };
}
