// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  CreatedToken,
  IdentityStatus,
  OperatorIdentity,
  RevocationChange,
  RevokeCommand,
  TokenCommand,
} from "../api/identity-service.ts";
import { DEFAULT_TOKEN_MS } from "../api/identity-service.ts";
import { formatJoinToken } from "../core/identity/join-token.ts";
import {
  IDENTITY_SERVICE_ACCOUNT,
  parseServiceAccount,
  parseSpiffeId,
  serviceAccountOf,
  workloadIdOf,
} from "../core/identity/spiffe-id.ts";
import { PurserError } from "../kernel/errors.ts";
import { pinOf } from "./authority/pem.ts";
import { newRoot, Signer } from "./authority/signer.ts";
import type { IdentityParts } from "./parts.ts";

/** The calls of operators. */
export class Operations implements OperatorIdentity {
  readonly #parts: IdentityParts;

  constructor(parts: IdentityParts) {
    this.#parts = parts;
  }

  async createToken({ serviceAccount, forMs = DEFAULT_TOKEN_MS }: TokenCommand): Promise<CreatedToken> {
    const account = parseServiceAccount(serviceAccount);
    if (account === undefined)
      throw new PurserError(
        "PURSER_REQUEST_INVALID",
        `${JSON.stringify(serviceAccount)} is no service account: it must be NAMESPACE/NAME in lower case, such as shop/cart`,
      );
    const spiffeId = workloadIdOf(this.#parts.options.trustDomain, account);
    if (spiffeId === workloadIdOf(this.#parts.options.trustDomain, IDENTITY_SERVICE_ACCOUNT))
      throw new PurserError("PURSER_REQUEST_INVALID", `${serviceAccount} is the identity service itself`);
    if (this.#parts.revocations.covers(spiffeId))
      throw new PurserError("PURSER_IDENTITY_REVOKED", `${spiffeId} is revoked`);
    const expiresAtMs = this.#parts.options.clock.nowMs() + forMs;
    const secret = this.#parts.tokens.create(spiffeId, expiresAtMs);
    await this.#parts.keeper.save();
    const expires = new Date(expiresAtMs).toISOString();
    this.#parts.options.logger.info("a join token was made", { spiffeId, expires });
    const token = formatJoinToken({ secret, rootPins: this.#parts.rotation.roots().map(pinOf) });
    return { token, spiffeId, expires };
  }

  async revoke(command: RevokeCommand): Promise<RevocationChange> {
    const { spiffeId, reason } = this.#checked(command);
    const certificates = this.#parts.journal.of(spiffeId);
    const sinceMs = this.#parts.options.clock.nowMs();
    const changed = this.#parts.revocations.revoke({ spiffeId, reason, sinceMs }, certificates);
    this.#parts.tokens.endOf(spiffeId);
    // Proxies first: a disk that fails must not keep a stolen key in use.
    this.#parts.publish();
    this.#parts.options.logger.warn("an identity was revoked", {
      spiffeId,
      reason,
      certificates: certificates.length,
    });
    await this.#parts.keeper.save();
    return { spiffeId, changed, certificates: certificates.length };
  }

  async restore(command: RevokeCommand): Promise<RevocationChange> {
    const { spiffeId, reason } = this.#checked(command);
    const changed = this.#parts.revocations.restore(spiffeId);
    await this.#parts.keeper.save();
    this.#parts.publish();
    this.#parts.options.logger.warn("an identity was restored", { spiffeId, reason });
    return { spiffeId, changed, certificates: this.#parts.journal.of(spiffeId).length };
  }

  #checked(command: RevokeCommand): RevokeCommand {
    const id = parseSpiffeId(command.spiffeId);
    if (id?.trustDomain === this.#parts.options.trustDomain && serviceAccountOf(id) !== undefined)
      return command;
    throw new PurserError(
      "PURSER_REQUEST_INVALID",
      `${JSON.stringify(command.spiffeId)} is no identity of this mesh: it must be spiffe://${this.#parts.options.trustDomain}/ns/NAMESPACE/sa/NAME`,
    );
  }

  async rotateRoot(): Promise<IdentityStatus> {
    const { clock, readSigner, logger } = this.#parts.options;
    this.#parts.rotation.assertIdle();
    const nowMs = clock.nowMs();
    const texts =
      readSigner === undefined
        ? await newRoot(this.#parts.x509, this.#parts.options.trustDomain, nowMs)
        : await readSigner();
    const next = await Signer.of(this.#parts.x509, texts, nowMs);
    this.#parts.rotation.begin(next, nowMs);
    await this.#parts.keeper.save();
    this.#parts.publish();
    logger.info("a rotation of the root has begun", { next: next.id });
    return this.status();
  }

  status(): IdentityStatus {
    const nowMs = this.#parts.options.clock.nowMs();
    const { bundleVersion } = this.#parts.publisher.current;
    return {
      trustDomain: this.#parts.options.trustDomain,
      bundleVersion,
      signers: this.#parts.rotation.signers.map((each) => ({
        id: each.signer.id,
        state: each.state,
        since: new Date(each.sinceMs).toISOString(),
        notAfter: new Date(each.signer.notAfterMs).toISOString(),
        waitingFor: this.#parts.rotation.waitingFor(each, this.#parts.journal, bundleVersion, nowMs),
      })),
      liveCertificates: this.#parts.journal.liveCount,
      openTokens: this.#parts.tokens.unusedCount,
      revokedIds: this.#parts.revocations.ids().map(({ spiffeId }) => spiffeId),
    };
  }
}
