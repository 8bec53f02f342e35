// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { CHECK_PATH, decodeCheckRequest } from "../../../api/json/check.ts";
import { decodeAllocateRequest, QUOTA_PATH } from "../../../api/json/quota.ts";
import { decodeReportRequest, REPORT_PATH } from "../../../api/json/report.ts";
import { chain } from "../../../kernel/maybe-promise.ts";
import type { JsonCall } from "../../../server/http/json/json-exchange.ts";
import type { Mixer } from "../../mixer.ts";

/** The calls of proxies by path: check, quota and report. */
export function callsOf(mixer: Mixer): Readonly<Record<string, JsonCall>> {
  return {
    [CHECK_PATH]: (body) => mixer.check(decodeCheckRequest(body)),
    [QUOTA_PATH]: (body) => mixer.allocate(decodeAllocateRequest(body)),
    [REPORT_PATH]: (body) => chain(mixer.report(decodeReportRequest(body)), () => undefined),
  };
}
