// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { IdentityService, ShownCertificate } from "../../api/identity-service.ts";
import { renewalTimeMs, retryPauseMs } from "../../core/identity/renewal.ts";
import { isPurserError, messageOf } from "../../kernel/errors.ts";
import type { Cancel, Clock, Logger, Random, Scheduler } from "../../kernel/ports.ts";
import { IssuedWorkloadCredential } from "./issued-credential.ts";
import { type KeyRequest, newKeyRequest } from "./key-request.ts";

export interface IdentityAgentOptions {
  readonly service: IdentityService;
  /** Reads the join token, before each join: an operator may replace it. */
  readonly readToken: () => Promise<string>;
  /** Makes keys; default newKeyRequest. */
  readonly newRequest?: () => Promise<KeyRequest>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
}

/** Codes of refusals after which the present certificate gets no successor: the proxy must join with a token. */
const MUST_JOIN = new Set(["PURSER_IDENTITY_REVOKED", "PURSER_IDENTITY_UNAUTHENTICATED"]);

/**
 * Gets this proxy's certificate and renews it before it ends, with a new key each time. While the identity service is away,
 * the last certificate stays in use until it ends.
 */
export class IdentityAgent {
  readonly credential: IssuedWorkloadCredential;
  readonly #options: IdentityAgentOptions;
  /** The certificate to renew; undefined when the next one needs a join token. */
  #shown: ShownCertificate | undefined;
  /** By the monotonic clock, so that a clock of the identity service that is ahead or behind does no harm. */
  #endsAtMs = 0;
  /** Kept until a reply to it has come: a join token serves one key alone. */
  #request: KeyRequest | undefined;
  #failures = 0;
  #loggedFault: string | undefined;
  #cancelTimer: Cancel | undefined;
  #stopWatching: (() => void) | undefined;
  #closed = false;

  constructor(options: IdentityAgentOptions) {
    this.#options = options;
    this.credential = new IssuedWorkloadCredential(options.logger);
  }

  /**
   * Joins; resolves with the first certificate, or after `timeoutMs` without one. The agent goes on trying in that case, and
   * `credential.fault` says why there is none.
   */
  async start(timeoutMs: number): Promise<void> {
    const first = this.#attempt();
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        stop();
        resolve();
      };
      const cancel = this.#options.scheduler.after(timeoutMs, end);
      const stop = this.credential.watch(end);
    });
    void first;
  }

  /** Ends the renewals. The certificate stays usable until it ends. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
    this.#stopWatching?.();
  }

  async #attempt(): Promise<void> {
    const { clock, service, newRequest = newKeyRequest, readToken, random } = this.#options;
    try {
      if (this.#shown !== undefined && this.#endsAtMs <= clock.monotonicMs()) this.#shown = undefined;
      const shown = this.#shown;
      const request = (this.#request ??= await newRequest());
      const { certificateRequest } = request;
      const joinToken = shown === undefined ? await readToken() : undefined;
      const sentAtMs = clock.monotonicMs();
      const issued = await service.issue(
        joinToken === undefined ? { certificateRequest } : { certificateRequest, joinToken },
        shown,
      );
      if (this.#closed) return;
      const { certificateChain, issuedAtMs, notAfterMs, trust } = issued;
      this.credential.take(issued, request.privateKey);
      this.#request = undefined;
      this.#endsAtMs = sentAtMs + notAfterMs - issuedAtMs;
      this.#shown = { certificateChain, privateKey: request.privateKey, trustBundle: trust.trustBundle };
      this.#succeeded();
      this.#watch(this.#shown);
      const validity = { issuedAtMs: sentAtMs, notAfterMs: this.#endsAtMs };
      this.#schedule(renewalTimeMs(validity, random) - clock.monotonicMs());
    } catch (error) {
      this.#failed(error);
    }
  }

  #succeeded(): void {
    const { logger } = this.#options;
    const { spiffeId } = this.credential;
    if (this.#failures > 0 && this.#loggedFault !== undefined)
      logger.info("the workload's certificate is renewed again", { spiffeId });
    else logger.debug("the workload has a new certificate", { spiffeId });
    this.#failures = 0;
    this.#loggedFault = undefined;
  }

  #failed(error: unknown): void {
    if (this.#closed) return;
    const { clock, random, logger } = this.#options;
    const fault = messageOf(error);
    const code = isPurserError(error) ? error.code : undefined;
    this.#failures++;
    this.credential.fault = fault;
    const leftMs = this.#endsAtMs - clock.monotonicMs();
    if (fault !== this.#loggedFault) {
      this.#loggedFault = fault;
      logger.warn(
        "the workload's certificate could not be renewed; the last one stays in use until it ends",
        {
          error: fault,
          ...(code === undefined ? {} : { code }),
          leftSeconds: Math.max(0, Math.round(leftMs / 1_000)),
        },
      );
    }
    if (code !== undefined && MUST_JOIN.has(code)) this.#shown = undefined;
    this.#schedule(retryPauseMs(this.#failures, leftMs, random));
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.scheduler.after(Math.max(0, delayMs), () => void this.#attempt());
  }

  /** Watches roots and revocations under the newest certificate. */
  #watch(shown: ShownCertificate): void {
    const { service, logger } = this.#options;
    this.#stopWatching?.();
    this.#stopWatching = service.watchTrust(this.credential.trust, shown, (trust) => {
      try {
        this.credential.takeTrust(trust);
        if (this.#shown !== undefined) this.#shown = { ...this.#shown, trustBundle: trust.trustBundle };
      } catch (error) {
        logger.error("the trust bundle cannot be used", { error: messageOf(error) });
      }
    });
  }
}
