// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TLSSocket } from "node:tls";
import type Router from "@koa/router";
import type { Context } from "koa";
import type { TrustState } from "../../../api/identity-service.ts";
import {
  CERTIFICATES_PATH,
  decodeIssueRequest,
  decodeTrustRequest,
  ROOTS_PATH,
  TRUST_PATH,
} from "../../../api/json/identity.ts";
import { PurserError } from "../../../kernel/errors.ts";
import type { ConcurrencyLimit } from "../../../server/concurrency-limit.ts";
import type { BodyReader } from "../../../server/http/json/body-reader.ts";
import { readJson } from "../../../server/http/json/read-json.ts";
import { holdRequest, type LongPolls } from "../../../server/http/long-polls.ts";
import type { Identity } from "../../identity.ts";
import type { Peer } from "../../peer.ts";

export interface WorkloadRoutes {
  readonly identity: Identity;
  readonly polls: LongPolls;
  readonly bodies: BodyReader;
  readonly limit: ConcurrencyLimit;
  readonly isDraining: () => boolean;
}

/** The calls of proxies. */
export function addWorkloadRoutes(router: Router, routes: WorkloadRoutes): void {
  const { identity, polls, bodies, limit, isDraining } = routes;
  const { issuance } = identity;
  const peers = new WeakMap<TLSSocket, Peer | string>();

  /** The workload at the other end; undefined when it shows no certificate. @throws {PurserError} for a bad one. */
  function shownPeer(context: Context): Peer | undefined {
    const socket = context.req.socket as TLSSocket;
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return undefined;
    if (!socket.authorized) throw unauthenticated(`it is not verified: ${String(socket.authorizationError)}`);
    const peer = peers.get(socket) ?? issuance.peerOf(certificate);
    if (typeof peer === "string") throw unauthenticated(peer);
    peers.set(socket, peer);
    const fault = issuance.peerFault(peer);
    if (fault !== undefined) throw fault;
    return peer;
  }

  router.get(ROOTS_PATH, (context) => {
    context.body = { trustBundle: identity.trust.trustBundle };
  });

  router.post(CERTIFICATES_PATH, async (context) => {
    const source = context.req.socket.remoteAddress ?? "";
    await limit(async () => {
      const request = decodeIssueRequest(await readJson(context, bodies));
      // With a token its identity counts, whatever certificate the proxy shows: it may have ended.
      const peer = request.joinToken === undefined ? shownPeer(context) : undefined;
      context.body = await issuance.issue(request, peer, source);
    });
  });

  router.get(TRUST_PATH, async (context) => {
    const { known, bundle, waitMs } = decodeTrustRequest(context.query);
    const peer = shownPeer(context);
    if (peer === undefined) throw unauthenticated("there is none");
    if (isDraining()) throw new PurserError("PURSER_DRAINING", "the identity service is shutting down");
    identity.acknowledge(peer, bundle);
    const trust = await holdRequest<TrustState>(polls, context, {
      watch: (listener) => identity.watchTrust(listener),
      isNews: ({ version }) => version !== known,
      waitMs,
    });
    const fault = issuance.peerFault(peer);
    if (fault !== undefined) throw fault;
    if (trust === undefined) context.status = 304;
    else context.body = trust;
  });
}

function unauthenticated(fault: string): PurserError {
  return new PurserError("PURSER_IDENTITY_UNAUTHENTICATED", `the client certificate is refused: ${fault}`);
}
