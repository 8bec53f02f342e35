// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import type { Context } from "koa";
import type { Clock, Random } from "../../../kernel/ports.ts";
import type { Mixer } from "../../mixer.ts";
import { authReply } from "./auth-reply.ts";
import { readAuthRequest } from "./auth-request.ts";
import type { ConcurrencyLimit } from "../../../server/concurrency-limit.ts";
import { newId } from "../../../server/http/request-id.ts";

/** Whether a path is one that gateways ask at, with the header fields of somebody else's request. */
export function isAuthPath(path: string): boolean {
  return path === "/auth" || path.startsWith("/auth/");
}

/**
 * How long a gateway may take, from its asking, until it lets the request pass: quotas count as used at the end of that
 * time. Nothing tells Purser of an answer that takes longer.
 */
const USE_WITHIN_MS = 50;

/**
 * Checks for gateways that ask over plain HTTP: nginx's auth_request, Traefik's ForwardAuth, Caddy's forward_auth,
 * Envoy's HTTP ext_authz. A check and its quotas at once, and nothing for the gateway to remember.
 */
export function addAuthRoutes(
  router: Router,
  mixer: Pick<Mixer, "check" | "pathNormalization">,
  limit: ConcurrencyLimit,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): void {
  // The gateway does not repeat a call, so each has an id of its own.
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
      }),
      form,
    );
    context.status = reply.status;
    for (const [name, value] of reply.headers) context.append(name, value);
    context.body = reply.body;
  };
  router.all("/auth", (context) => limit(() => answer(context)));
  router.all("/auth/{*path}", (context) => limit(() => answer(context)));
}
