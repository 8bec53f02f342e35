// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { X509Certificate } from "node:crypto";
import type { IssuedIdentity, TrustState } from "../../api/identity-service.ts";
import { messageOf } from "../../kernel/errors.ts";
import type { Logger } from "../../kernel/ports.ts";
import type { PeerCertificate } from "../transport/contract/connection.ts";
import { checkedMaterial, type Material } from "../transport/tls/credentials/material.ts";
import type { WorkloadCredential } from "../transport/tls/credentials/workload-credential.ts";

/** The trust state of a proxy that has not joined. */
export const NO_TRUST: TrustState = {
  version: "",
  bundleVersion: "",
  trustBundle: "",
  revokedIds: [],
  revokedSerials: [],
};

/** The identity that the identity service issues to this proxy. IdentityAgent keeps it up to date. */
export class IssuedWorkloadCredential implements WorkloadCredential {
  readonly name = "workload";
  version = 0;
  material: Material | undefined;
  fault: string | undefined = "the identity service has not issued a certificate yet";
  spiffeId: string | undefined;
  readonly #logger: Logger;
  readonly #listeners = new Set<() => void>();
  #trust: TrustState = NO_TRUST;
  #revokedIds: ReadonlySet<string> = new Set();
  #revokedSerials: ReadonlySet<string> = new Set();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get trust(): TrustState {
    return this.#trust;
  }

  isRevoked({ der, uris }: PeerCertificate): boolean {
    if (this.#revokedIds.size > 0 && uris.some((uri) => this.#revokedIds.has(uri))) return true;
    return this.#revokedSerials.size > 0 && this.#revokedSerials.has(serialOf(der));
  }

  watch(onChange: () => void): () => void {
    this.#listeners.add(onChange);
    return () => void this.#listeners.delete(onChange);
  }

  /**
   * Takes a new certificate with its key.
   *
   * @throws {Error} when the certificate is not for the key, or not of the identity that the reply names.
   */
  take({ spiffeId, certificateChain, trust }: IssuedIdentity, privateKey: string): void {
    const named = new X509Certificate(certificateChain).subjectAltName;
    if (named !== `URI:${spiffeId}`)
      throw new Error(`the certificate names ${named ?? "nothing"}, and the reply ${spiffeId}`);
    this.material = checkedMaterial({
      certificate: certificateChain,
      privateKey,
      authorities: trust.trustBundle,
    });
    this.spiffeId = spiffeId;
    this.fault = undefined;
    this.#setTrust(trust);
    this.#changed();
  }

  /** Takes new roots and revocations. @throws {Error} when the roots are not certificates. */
  takeTrust(trust: TrustState): void {
    if (trust.version === this.#trust.version) return;
    const { material } = this;
    if (material !== undefined && trust.trustBundle !== material.authorities)
      this.material = checkedMaterial({ ...material, authorities: trust.trustBundle });
    this.#setTrust(trust);
    this.#changed();
  }

  #setTrust(trust: TrustState): void {
    this.#trust = trust;
    this.#revokedIds = new Set(trust.revokedIds);
    this.#revokedSerials = new Set(trust.revokedSerials);
  }

  #changed(): void {
    this.version++;
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (error) {
        this.#logger.error("a user of the workload's credential failed", { error: messageOf(error) });
      }
    }
  }
}

/** In the form of TrustState.revokedSerials. */
function serialOf(der: Uint8Array): string {
  return new X509Certificate(der).serialNumber.replace(/^0+(?=.)/, "").toUpperCase();
}
