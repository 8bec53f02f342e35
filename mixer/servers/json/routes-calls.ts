// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import type { Context } from "koa";
import { CHECK_PATH, decodeCheckRequest } from "../../../api/json/check.ts";
import { decodeAllocateRequest, QUOTA_PATH } from "../../../api/json/quota.ts";
import { decodeReportRequest, REPORT_PATH } from "../../../api/json/report.ts";
import type { ConcurrencyLimit } from "../../../server/concurrency-limit.ts";
import type { BodyReader } from "../../../server/http/json/body-reader.ts";
import { parseJson, readJsonText } from "../../../server/http/json/json-body.ts";
import type { Mixer } from "../../mixer.ts";

export interface CallRoutes {
  readonly mixer: Mixer;
  readonly limit: ConcurrencyLimit;
  readonly bodies: BodyReader;
}

/** The calls of proxies: check, quota and report. */
export function addCallRoutes(router: Router, { mixer, limit, bodies }: CallRoutes): void {
  const post = (path: string, call: (context: Context, body: unknown) => Promise<void>): void => {
    router.post(path, async (context) => {
      const text = await readJsonText(context, bodies);
      await limit(() => call(context, parseJson(text)));
    });
  };
  post(CHECK_PATH, async (context, body) => {
    context.body = await mixer.check(decodeCheckRequest(body));
  });
  post(QUOTA_PATH, async (context, body) => {
    context.body = await mixer.allocate(decodeAllocateRequest(body));
  });
  post(REPORT_PATH, async (context, body) => {
    await mixer.report(decodeReportRequest(body));
    context.status = 204;
  });
}
