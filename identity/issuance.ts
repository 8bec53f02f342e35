// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { X509Certificate } from "node:crypto";
import type { IssuedIdentity, IssueRequest } from "../api/identity-service.ts";
import { parseJoinToken } from "../core/identity/join-token.ts";
import { IDENTITY_SERVICE_ACCOUNT, workloadIdOf } from "../core/identity/spiffe-id.ts";
import { messageOf, PurserError } from "../kernel/errors.ts";
import { type CertificateRequest, readCertificateRequest } from "./authority/certificate-request.ts";
import { newPrivateKey, publicKeyOf } from "./authority/keys.ts";
import type { IssuedCertificate, Signer } from "./authority/signer.ts";
import type { IdentityParts } from "./parts.ts";
import { type Peer, peerOf } from "./peer.ts";
import { RateLimit } from "./rate-limit.ts";

/** Part of its lifetime after which the service renews its own certificate. */
const OWN_RENEWAL_SHARE = 0.5;

/** Counts since the start. */
export interface IdentityCounts {
  joins: number;
  renewals: number;
  refusals: number;
}

/** Issues certificates to workloads, and to the service itself. */
export class Issuance {
  readonly counts: IdentityCounts = { joins: 0, renewals: 0, refusals: 0 };
  readonly #parts: IdentityParts;
  readonly #rate: RateLimit;

  constructor(parts: IdentityParts) {
    this.#parts = parts;
    this.#rate = new RateLimit(parts.options.clock);
  }

  /** The workload of a certificate whose chain is verified; the reason that it is none as a text. */
  peerOf(certificate: X509Certificate): Peer | string {
    const { trustDomain } = this.#parts.options;
    return peerOf(this.#parts.x509, certificate, { trustDomain, nowMs: this.#parts.options.clock.nowMs() });
  }

  /** The reason for which a workload may not be served; undefined when it may. */
  peerFault({ spiffeId, serial, notAfterMs }: Peer): PurserError | undefined {
    if (this.#parts.revocations.covers(spiffeId, serial))
      return new PurserError("PURSER_IDENTITY_REVOKED", `${spiffeId} is revoked`);
    // A connection may outlive the certificate that it was opened with.
    if (notAfterMs < this.#parts.options.clock.nowMs())
      return new PurserError("PURSER_IDENTITY_UNAUTHENTICATED", "the client certificate has ended");
    return undefined;
  }

  /**
   * Certifies a key: for the identity of the token, if there is one, else for that of the peer.
   *
   * @param source The client's address, for the rate limit.
   * @throws {PurserError} As IdentityService.issue.
   */
  async issue(request: IssueRequest, peer: Peer | undefined, source: string): Promise<IssuedIdentity> {
    try {
      this.#rate.count(source);
      const { certificateRequest, joinToken } = request;
      if (joinToken !== undefined) return await this.#join(certificateRequest, joinToken);
      if (peer === undefined)
        throw new PurserError(
          "PURSER_IDENTITY_UNAUTHENTICATED",
          "a certificate needs a join token, or a client certificate of this service",
        );
      return await this.#renew(certificateRequest, peer);
    } catch (error) {
      this.counts.refusals++;
      this.#parts.options.logger.warn("a certificate was refused", {
        source,
        spiffeId: peer?.spiffeId,
        error: messageOf(error),
      });
      throw error;
    }
  }

  async #join(requestText: string, tokenText: string): Promise<IssuedIdentity> {
    const secret = parseJoinToken(tokenText)?.secret;
    if (secret === undefined) throw badToken("it is malformed");
    // The token first: an unknown client makes the service verify no signature.
    const token = this.#parts.tokens.find(secret, this.#parts.options.clock.nowMs());
    if (token === undefined) throw badToken("it is unknown or expired");
    const request = await readCertificateRequest(this.#parts.x509, requestText);
    this.#assertIdentity(token.spiffeId, request);
    if (!this.#parts.tokens.use(token, request.keyHash)) throw badToken("another proxy has used it");
    // Saved first: after a crash another proxy must not be able to use it.
    await this.#parts.keeper.save();
    const issued = await this.#certify(request, token.spiffeId, undefined);
    this.counts.joins++;
    return issued;
  }

  async #renew(requestText: string, peer: Peer): Promise<IssuedIdentity> {
    const fault = this.peerFault(peer);
    if (fault !== undefined) throw fault;
    const request = await readCertificateRequest(this.#parts.x509, requestText);
    this.#assertIdentity(peer.spiffeId, request);
    this.#parts.journal.acknowledge(peer.serial, undefined);
    const issued = await this.#certify(request, peer.spiffeId, peer.serial);
    this.counts.renewals++;
    return issued;
  }

  #assertIdentity(spiffeId: string, { uris }: CertificateRequest): void {
    if (this.#parts.revocations.covers(spiffeId))
      throw new PurserError("PURSER_IDENTITY_REVOKED", `${spiffeId} is revoked`);
    const other = uris.find((uri) => uri !== spiffeId);
    if (other !== undefined)
      throw new PurserError(
        "PURSER_IDENTITY_REQUEST",
        `the certificate request names ${JSON.stringify(other)}; its sender is ${spiffeId}`,
      );
  }

  async #certify(
    { publicKey }: CertificateRequest,
    spiffeId: string,
    previous: string | undefined,
  ): Promise<IssuedIdentity> {
    const { signer, issued } = await this.#sign(publicKey, spiffeId);
    const { chain, serial, issuedAtMs, notAfterMs } = issued;
    const trust = this.#parts.publisher.current;
    await this.#parts.journal.record(
      { serial, spiffeId, signer, issuedAtMs, notAfterMs, ...(previous === undefined ? {} : { previous }) },
      trust.bundleVersion,
    );
    // The identity may have been revoked while the certificate was signed, before the journal knew of it.
    if (this.#parts.revocations.covers(spiffeId))
      throw new PurserError("PURSER_IDENTITY_REVOKED", `${spiffeId} is revoked`);
    this.#parts.options.logger.info("a certificate was issued", {
      spiffeId,
      serial,
      how: previous === undefined ? "join" : "renewal",
      notAfter: new Date(notAfterMs).toISOString(),
    });
    return { spiffeId, certificateChain: chain, issuedAtMs, notAfterMs, trust };
  }

  async #sign(
    publicKey: Parameters<Signer["issue"]>[0],
    spiffeId: string,
  ): Promise<{ readonly signer: string; readonly issued: IssuedCertificate }> {
    const { clock, lifetimeMs } = this.#parts.options;
    for (;;) {
      const signer = this.#parts.rotation.signing;
      const issued = await signer.issue(publicKey, spiffeId, { nowMs: clock.nowMs(), lifetimeMs });
      // A rotation that went on meanwhile has not waited for this certificate.
      if (signer === this.#parts.rotation.signing) return { signer: signer.id, issued };
    }
  }

  /** A certificate and key for the service itself, with the time at which to make the next. */
  async ownCertificate(): Promise<OwnCertificate> {
    const privateKey = await newPrivateKey();
    const publicKey = await publicKeyOf(privateKey);
    const { issued, signer } = await this.#sign(
      publicKey,
      workloadIdOf(this.#parts.options.trustDomain, IDENTITY_SERVICE_ACCOUNT),
    );
    const { chain, issuedAtMs, notAfterMs } = issued;
    const renewAtMs = issuedAtMs + (notAfterMs - issuedAtMs) * OWN_RENEWAL_SHARE;
    return { certificateChain: chain, privateKey, signer, renewAtMs };
  }
}

/** The certificate of the service itself. */
export interface OwnCertificate {
  readonly certificateChain: string;
  readonly privateKey: string;
  /** Id of the signer. */
  readonly signer: string;
  /** In milliseconds since the Unix epoch. */
  readonly renewAtMs: number;
}

function badToken(fault: string): PurserError {
  return new PurserError("PURSER_IDENTITY_TOKEN", `the join token is refused: ${fault}`);
}
