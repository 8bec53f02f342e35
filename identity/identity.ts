// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TrustState } from "../api/identity-service.ts";
import { Housekeeping } from "./housekeeping.ts";
import { Issuance } from "./issuance.ts";
import { Operations } from "./operations.ts";
import { type IdentityOptions, type IdentityParts, loadParts } from "./parts.ts";
import type { Peer } from "./peer.ts";

/**
 * The certificate authority of a mesh. It certifies keys of workloads for a short time, tells proxies which roots to trust
 * and which workloads not to, and replaces its root while the mesh runs.
 */
export class Identity {
  readonly issuance: Issuance;
  readonly operations: Operations;
  readonly #parts: IdentityParts;
  readonly #housekeeping: Housekeeping;

  private constructor(parts: IdentityParts) {
    this.#parts = parts;
    this.issuance = new Issuance(parts);
    this.operations = new Operations(parts);
    this.#housekeeping = new Housekeeping(parts);
  }

  /** @throws {PurserError} As loadParts. */
  static async start(options: IdentityOptions): Promise<Identity> {
    return new Identity(await loadParts(options));
  }

  get trustDomain(): string {
    return this.#parts.options.trustDomain;
  }

  get trust(): TrustState {
    return this.#parts.publisher.current;
  }

  /** See TrustPublisher.watch. */
  watchTrust(listener: (trust: TrustState) => void): () => void {
    return this.#parts.publisher.watch(listener);
  }

  /** Notes which bundle a workload applies. */
  acknowledge({ serial }: Peer, bundleVersion: string | undefined): void {
    this.#parts.journal.acknowledge(serial, bundleVersion);
  }

  /** Id of the signer that signs now. */
  get signerId(): string {
    return this.#parts.rotation.signing.id;
  }

  /** When the certificate that signs, or one above it, ends; in milliseconds since the Unix epoch. */
  get authorityNotAfterMs(): number {
    return this.#parts.rotation.signing.notAfterMs;
  }

  get isRotating(): boolean {
    return this.#parts.rotation.signers.length > 1;
  }

  get liveCertificates(): number {
    return this.#parts.journal.liveCount;
  }

  /** Ends the service's timers, and waits until its state is written. */
  async close(): Promise<void> {
    this.#housekeeping.close();
    await Promise.allSettled([this.#parts.keeper.flush(), this.#parts.journal.flush()]);
  }
}
