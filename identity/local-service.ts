// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { X509Certificate } from "node:crypto";
import type { IdentityService, ShownCertificate } from "../api/identity-service.ts";
import { PurserError } from "../kernel/errors.ts";
import type { Identity } from "./identity.ts";
import type { Peer } from "./peer.ts";

/** The identity service for proxies in the same process. Possession of a shown key is not proven: it is this process'. */
export function createLocalIdentityService(identity: Identity): IdentityService {
  const { issuance } = identity;
  const peerOf = ({ certificateChain }: ShownCertificate): Peer => {
    const peer = issuance.peerOf(new X509Certificate(certificateChain));
    if (typeof peer !== "string") return peer;
    throw new PurserError("PURSER_IDENTITY_UNAUTHENTICATED", `the certificate is refused: ${peer}`);
  };
  return {
    // A rejection, as over HTTP, where peerOf throws.
    issue: async (request, shown) =>
      issuance.issue(request, shown === undefined ? undefined : peerOf(shown), "this process"),
    watchTrust(known, shown, listener) {
      const peer = peerOf(shown);
      return identity.watchTrust((trust) => {
        if (issuance.peerFault(peer) !== undefined) return;
        if (trust.version !== known.version) listener(trust);
        identity.acknowledge(peer, trust.bundleVersion);
      });
    },
  };
}
