// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { constants } from "node:crypto";
import type { TlsOptions } from "node:tls";
import { messageOf } from "../../kernel/errors.ts";
import type { Cancel, Clock, Logger, Scheduler } from "../../kernel/ports.ts";
import type { SurfaceTls } from "../../server/http/control-surface.ts";
import type { Identity } from "../identity.ts";
import type { OwnCertificate } from "../issuance.ts";

/** How often the service looks whether its certificate is due. */
const TICK_MS = 1_000;

export interface OwnTlsOptions {
  readonly identity: Identity;
  readonly clock: Pick<Clock, "nowMs">;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
}

/** The TLS of the identity service: a certificate that it issues to itself, renewed as workloads' are. */
export class OwnTls implements SurfaceTls {
  readonly #settings: OwnTlsOptions;
  readonly #listeners = new Set<() => void>();
  readonly #cancels: readonly Cancel[];
  #own: OwnCertificate;
  #renewing = false;

  private constructor(settings: OwnTlsOptions, own: OwnCertificate) {
    this.#settings = settings;
    this.#own = own;
    const { identity, scheduler } = settings;
    this.#cancels = [
      scheduler.every(TICK_MS, () => void this.#renewIfDue()),
      identity.watchTrust(() => {
        void this.#renewIfDue();
        this.#tell();
      }),
    ];
  }

  /** @throws {PurserError} PURSER_IDENTITY_SIGNER. */
  static async create(settings: OwnTlsOptions): Promise<OwnTls> {
    return new OwnTls(settings, await settings.identity.issuance.ownCertificate());
  }

  get options(): TlsOptions {
    const { certificateChain, privateKey } = this.#own;
    return {
      cert: certificateChain,
      key: privateKey,
      ca: this.#settings.identity.trust.trustBundle,
      minVersion: "TLSv1.3",
      requestCert: true,
      // A proxy that joins has no certificate yet: each route decides.
      rejectUnauthorized: false,
      // A resumed session would not show its certificate again, which may be revoked meanwhile.
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
  }

  watch(onChange: () => void): () => void {
    this.#listeners.add(onChange);
    return () => void this.#listeners.delete(onChange);
  }

  close(): void {
    for (const cancel of this.#cancels) cancel();
  }

  async #renewIfDue(): Promise<void> {
    const { identity, clock, logger } = this.#settings;
    const isDue = this.#own.signer !== identity.signerId || this.#own.renewAtMs <= clock.nowMs();
    if (!isDue || this.#renewing) return;
    this.#renewing = true;
    try {
      this.#own = await identity.issuance.ownCertificate();
      this.#tell();
    } catch (error) {
      logger.error("the identity service cannot renew its own certificate", { error: messageOf(error) });
    } finally {
      this.#renewing = false;
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
