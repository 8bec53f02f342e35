// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { POLL_POLICY_STATE } from "../../../api/json/operations/mixer-operations.ts";
import { decodePolicyStateQuery } from "../../../api/json/policy-state.ts";
import type { PolicyState } from "../../../api/mixer-service.ts";
import { PurserError } from "../../../kernel/errors.ts";
import { holdRequest, type LongPolls } from "../../../server/http/long-polls.ts";
import type { SurfaceRouter } from "../../../server/http/surface-router.ts";
import type { Mixer } from "../../mixer.ts";

/** The long poll that brings proxies the active policies and the number of proxies. */
export function addPolicyStateRoute(router: SurfaceRouter, mixer: Mixer, polls: LongPolls): void {
  router.serve(POLL_POLICY_STATE, async (context) => {
    const { node, version, proxies, waitMs } = decodePolicyStateQuery(context.query);
    const address = context.req.socket.remoteAddress ?? "";
    const state = await holdRequest<PolicyState>(polls, context, {
      watch: (listener) => mixer.watch({ id: node, address }, listener),
      isNews: (news) => news.version !== version || (proxies !== undefined && news.proxies !== proxies),
      waitMs,
    });
    if (state !== undefined) context.body = state;
    else if (mixer.ready) context.status = 304;
    else throw new PurserError("PURSER_MIXER_UNAVAILABLE", "the mixer has no documents yet");
  });
}
