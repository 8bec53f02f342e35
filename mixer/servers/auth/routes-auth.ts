// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Context } from "koa";
import { AUTH, AUTH_OF_PATH } from "../../../api/json/operations/mixer-operations.ts";
import type { Clock, Random } from "../../../kernel/ports.ts";
import type { Mixer } from "../../mixer.ts";
import { authReply } from "./auth-reply.ts";
import { readAuthRequest } from "./auth-request.ts";
import type { ConcurrencyLimit } from "../../../server/concurrency-limit.ts";
import type { SurfaceRouter } from "../../../server/http/surface-router.ts";
import { newId } from "../../../server/http/request-id.ts";

/** Whether external proxies ask at this path, with the header fields of another request. */
export function isAuthPath(path: string): boolean {
  return path === "/auth" || path.startsWith("/auth/");
}

/**
 * How long an external proxy may take, from its ask until it forwards the request: quotas count as used at
 * the end of this time. A slower proxy goes unnoticed.
 */
const USE_WITHIN_MS = 50;

/**
 * Checks for external proxies over plain HTTP: nginx's auth_request, Traefik's ForwardAuth, Caddy's
 * forward_auth, Envoy's HTTP ext_authz. Each call checks and charges, and the external proxy keeps no state.
 */
export function addAuthRoutes(
  router: SurfaceRouter,
  mixer: Pick<Mixer, "check" | "pathNormalization" | "rateLimitHeaders">,
  limit: ConcurrencyLimit,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): void {
  // External proxies do not repeat a call, so each call gets its own deduplication id.
  const prefix = newId(random);
  let calls = 0;
  const answer = async (context: Context): Promise<void> => {
    const { method = "GET", url = "/", rawHeaders, socket } = context.req;
    const peerIp = socket.remoteAddress ?? "";
    const { pathNormalization } = mixer;
    const timeMs = clock.nowMs();
    const { bag, form } = readAuthRequest({ method, url, rawHeaders, peerIp, timeMs, pathNormalization });
    calls += 1;
    const reply = authReply(
      await mixer.check({
        attributes: bag,
        deduplicationId: `auth-${prefix}-${calls}`,
        useWithinMs: USE_WITHIN_MS,
        applyBeyond: true,
      }),
      form,
      mixer.rateLimitHeaders,
    );
    context.status = reply.status;
    for (const [name, value] of reply.headers) context.append(name, value);
    context.body = reply.body;
  };
  router.serve(AUTH, (context) => limit(() => answer(context)));
  router.serve(AUTH_OF_PATH, (context) => limit(() => answer(context)));
}
