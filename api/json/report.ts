// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { ReportRequest } from "../mixer-service.ts";
import { invalidRequest } from "./faults.ts";
import { createDecoder } from "./schema/decoder.ts";
import { exactly } from "./schema/exactly.ts";
import { Bag, closed, Identifier } from "./schema/fields.ts";

/** `POST` a ReportRequest; 204 without a body. */
export const REPORT_PATH = "/v1/report";

const ReportRequestSchema = exactly<ReportRequest>()(
  closed({
    bags: Type.Array(Bag, { maxItems: 10_000 }),
    deduplicationId: Type.Optional(Identifier),
  }),
);

/** @throws {PurserError} PURSER_REQUEST_INVALID, naming the field. */
export const decodeReportRequest = createDecoder(ReportRequestSchema, invalidRequest);
