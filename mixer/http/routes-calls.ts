// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import type { Context, Middleware } from "koa";
import {
  decodeAllocateRequest,
  decodeCheckRequest,
  decodePolicyStateQuery,
  decodeReportRequest,
  MIXER_PATHS,
} from "../../api/mixer-http.ts";
import type { MixerService } from "../../api/mixer.ts";
import { readJson } from "./json-body.ts";
import type { PolicyPolls } from "./policy-polls.ts";

export interface CallRoutes {
  readonly mixer: MixerService;
  readonly polls: PolicyPolls;
  readonly limit: Middleware;
  readonly bodyLimitBytes: number;
}

/** What proxies call. */
export function addCallRoutes(router: Router, { mixer, polls, limit, bodyLimitBytes }: CallRoutes): void {
  const body = (context: Context): Promise<unknown> => readJson(context, bodyLimitBytes);
  router.post(MIXER_PATHS.check, limit, async (context) => {
    context.body = await mixer.check(decodeCheckRequest(await body(context)));
  });
  router.post(MIXER_PATHS.quota, limit, async (context) => {
    context.body = await mixer.allocate(decodeAllocateRequest(await body(context)));
  });
  router.post(MIXER_PATHS.report, limit, async (context) => {
    await mixer.report(decodeReportRequest(await body(context)));
    context.status = 204;
  });
  // Polls wait for their living: they have a limit of their own.
  router.get(MIXER_PATHS.policyState, async (context) => {
    const query = decodePolicyStateQuery(context.query);
    const state = await polls.hold(query, (release) => context.res.once("close", release));
    if (state === undefined) context.status = 304;
    else context.body = state;
  });
}
