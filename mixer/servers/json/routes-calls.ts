// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import type { Context } from "koa";
import { CHECK_PATH, decodeCheckRequest } from "../../../api/json/check.ts";
import { decodePolicyStateQuery, POLICY_STATE_PATH } from "../../../api/json/policy-state.ts";
import { decodeAllocateRequest, QUOTA_PATH } from "../../../api/json/quota.ts";
import { decodeReportRequest, REPORT_PATH } from "../../../api/json/report.ts";
import type { PolicyState } from "../../../api/mixer-service.ts";
import { PurserError } from "../../../kernel/errors.ts";
import type { LongPolls } from "../../../kernel/long-polls.ts";
import type { Mixer } from "../../mixer.ts";
import type { BodyReader } from "./body-reader.ts";
import type { ConcurrencyLimit } from "./concurrency-limit.ts";
import { parseJson, readJsonText } from "./json-body.ts";

export interface CallRoutes {
  readonly mixer: Mixer;
  readonly polls: LongPolls;
  readonly limit: ConcurrencyLimit;
  readonly bodies: BodyReader;
}

/** What proxies call. */
export function addCallRoutes(router: Router, { mixer, polls, limit, bodies }: CallRoutes): void {
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
  // Polls wait for their living: they have a limit of their own.
  router.get(POLICY_STATE_PATH, async (context) => {
    const { node, version, proxies, waitMs } = decodePolicyStateQuery(context.query);
    const state = await polls.hold<PolicyState>({
      watch: (listener) =>
        mixer.watch({ id: node, address: context.req.socket.remoteAddress ?? "" }, listener),
      isNews: (news) => news.version !== version || (proxies !== undefined && news.proxies !== proxies),
      waitMs,
      source: context.req.socket.remoteAddress ?? "",
      onGone: (release) => context.res.once("close", release),
    });
    if (state !== undefined) context.body = state;
    else if (mixer.ready) context.status = 304;
    else throw new PurserError("PURSER_MIXER_UNAVAILABLE", "the mixer has no documents yet");
  });
}
