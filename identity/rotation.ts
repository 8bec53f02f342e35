// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SignerState } from "../api/identity-service.ts";
import { PurserError } from "../kernel/errors.ts";
import type { Signer } from "./authority/signer.ts";
import type { Journal } from "./journal.ts";

export interface RotatingSigner {
  readonly signer: Signer;
  readonly state: SignerState;
  /** In milliseconds since the Unix epoch. */
  readonly sinceMs: number;
}

/**
 * The signers of a rotation, oldest first. One signer is `signing`. A rotation has three steps:
 *
 * 1. The next signer is `announced`: its root joins the trust bundle. The present one still signs.
 * 2. When the holder of every live certificate applies this bundle, the next one is `signing`, and the present one `retiring`.
 * 3. When no live certificate in use is of the retiring signer, it is dropped, and its root leaves the bundle.
 *
 * The steps wait for the holders of certificates, and at most until the certificates end: a proxy that is gone does not hold
 * a rotation for longer than a certificate's lifetime.
 */
export class Rotation {
  #signers: readonly RotatingSigner[];

  constructor(signers: readonly RotatingSigner[]) {
    this.#signers = signers;
  }

  get signers(): readonly RotatingSigner[] {
    return this.#signers;
  }

  get signing(): Signer {
    return (this.#signers.find(({ state }) => state === "signing") as RotatingSigner).signer;
  }

  /** The roots to trust, in PEM, each once. */
  roots(): readonly string[] {
    return [...new Set(this.#signers.map(({ signer }) => signer.texts.root))];
  }

  /** @throws {PurserError} PURSER_IDENTITY_ROTATION while a rotation is under way, or when `next` signs already. */
  begin(next: Signer, nowMs: number): void {
    this.assertIdle();
    if (next.id === this.signing.id)
      throw new PurserError(
        "PURSER_IDENTITY_ROTATION",
        "the authority's files hold the certificate that signs already: replace them first",
      );
    this.#signers = [...this.#signers, { signer: next, state: "announced", sinceMs: nowMs }];
  }

  assertIdle(): void {
    if (this.#signers.length > 1)
      throw new PurserError("PURSER_IDENTITY_ROTATION", "a rotation of the root is under way");
  }

  /** Takes the next step when nobody is waited for. @returns Whether a step was taken. */
  advance(journal: Journal, bundleVersion: string, nowMs: number): boolean {
    const next = this.#signers.find((each) => each.state !== "signing");
    if (next === undefined || this.waitingFor(next, journal, bundleVersion, nowMs) > 0) return false;
    this.#signers =
      next.state === "retiring"
        ? this.#signers.filter((each) => each !== next)
        : this.#signers.map((each) => ({
            signer: each.signer,
            state: each === next ? "signing" : "retiring",
            sinceMs: nowMs,
          }));
    return true;
  }

  /** Undoes a step that could not be saved. */
  restore(signers: readonly RotatingSigner[]): void {
    this.#signers = signers;
  }

  /** Number of live certificates that keep a signer from its next step. */
  waitingFor(
    { signer, state }: RotatingSigner,
    journal: Journal,
    bundleVersion: string,
    nowMs: number,
  ): number {
    if (state === "announced") return journal.notApplying(bundleVersion, nowMs);
    return state === "retiring" ? journal.signedBy(signer.id, nowMs) : 0;
  }
}
