// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { decodeCheckRequest } from "../../../api/json/check.ts";
import { ALLOCATE, CHECK, REPORT } from "../../../api/json/operations/mixer-operations.ts";
import { decodeAllocateRequest } from "../../../api/json/quota.ts";
import { decodeReportRequest } from "../../../api/json/report.ts";
import { chain } from "../../../kernel/maybe-promise.ts";
import type { DescribedCall } from "../../../server/http/json/json-calls.ts";
import type { Mixer } from "../../mixer.ts";

/** The calls of proxies: check, quota and report. */
export function callsOf(mixer: Mixer): readonly DescribedCall[] {
  return [
    { operation: CHECK, call: (body) => mixer.check(decodeCheckRequest(body)) },
    { operation: ALLOCATE, call: (body) => mixer.allocate(decodeAllocateRequest(body)) },
    {
      operation: REPORT,
      call: (body) => chain(mixer.report(decodeReportRequest(body)), () => undefined),
    },
  ];
}
