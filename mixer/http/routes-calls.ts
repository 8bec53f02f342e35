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
import type { PolicyState } from "../../api/mixer.ts";
import { PurserError } from "../../core/kernel/errors.ts";
import type { LongPolls } from "../../core/kernel/long-polls.ts";
import type { Mixer } from "../mixer.ts";
import { readJson } from "./json-body.ts";

export interface CallRoutes {
  readonly mixer: Mixer;
  readonly polls: LongPolls;
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
    const { node, version, proxies, waitMs } = decodePolicyStateQuery(context.query);
    const state = await polls.hold<PolicyState>({
      watch: (listener) => mixer.watch({ id: node }, listener),
      isNews: (news) => news.version !== version || (proxies !== undefined && news.proxies !== proxies),
      waitMs,
      onGone: (release) => context.res.once("close", release),
    });
    if (state !== undefined) context.body = state;
    else if (mixer.ready) context.status = 304;
    else throw new PurserError("PURSER_MIXER_UNAVAILABLE", "the mixer has no documents yet");
  });
}
