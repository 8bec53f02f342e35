// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { trustDomainFault } from "../core/identity/spiffe-id.ts";
import { PurserError } from "../kernel/errors.ts";
import type { Clock, Logger, Scheduler } from "../kernel/ports.ts";
import { newRoot, Signer, type SignerTexts } from "./authority/signer.ts";
import { loadX509, type X509Library } from "./authority/x509-library.ts";
import { Journal } from "./journal.ts";
import { JoinTokens } from "./join-tokens.ts";
import { Revocations } from "./revocations.ts";
import { Rotation, type RotatingSigner } from "./rotation.ts";
import { type IdentityState, STATE_VERSION, type StateStore } from "./state/state.ts";
import { StateKeeper } from "./state/state-keeper.ts";
import { TrustPublisher } from "./trust-publisher.ts";

export interface IdentityOptions {
  readonly trustDomain: string;
  /** Lifetime of workloads' certificates, in milliseconds, 5,000 or more. */
  readonly lifetimeMs: number;
  readonly store: StateStore;
  /** Reads the authority's certificate and key from the operator's files; absent: the service makes a root of its own. */
  readonly readSigner?: () => Promise<SignerTexts>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
}

/** The parts of an identity service, which issuance, operations and housekeeping share. */
export interface IdentityParts {
  readonly options: IdentityOptions;
  readonly x509: X509Library;
  readonly rotation: Rotation;
  readonly tokens: JoinTokens;
  readonly revocations: Revocations;
  readonly journal: Journal;
  readonly publisher: TrustPublisher;
  readonly keeper: StateKeeper;
  /** Tells proxies of changed roots and revocations. */
  publish(): void;
}

/**
 * Reads the state, or makes the first one.
 *
 * @throws {PurserError} PURSER_IDENTITY_STATE, PURSER_IDENTITY_SIGNER, PURSER_CLI_USAGE for a wrong trust domain.
 */
export async function loadParts(options: IdentityOptions): Promise<IdentityParts> {
  const { trustDomain, store, clock, lifetimeMs, logger } = options;
  const fault = trustDomainFault(trustDomain);
  if (fault !== undefined)
    throw new PurserError("PURSER_CLI_USAGE", `${JSON.stringify(trustDomain)} is no trust domain: ${fault}`);
  const x509 = await loadX509();
  const nowMs = clock.nowMs();
  const loaded = await store.load();
  if (loaded !== undefined && loaded.trustDomain !== trustDomain)
    throw new PurserError(
      "PURSER_IDENTITY_STATE",
      `the state is of the trust domain ${loaded.trustDomain}, not ${trustDomain}`,
    );
  const state = loaded ?? (await firstState(options, x509, nowMs));
  const signers = await Promise.all(
    state.signers.map(async ({ state: step, sinceMs, ...texts }) => ({
      signer: await Signer.of(x509, texts, nowMs),
      state: step,
      sinceMs,
    })),
  );
  // The state first: a journal without a state would count as complete.
  if (loaded === undefined) await store.save(state);
  const journal = new Journal(store);
  await journal.load(loaded === undefined, nowMs, lifetimeMs);
  if (loaded !== undefined) await warnOfOtherFiles(options, x509, signers);
  const rotation = new Rotation(signers);
  const tokens = new JoinTokens(state.tokens);
  const revocations = new Revocations(state.revokedIds, state.revokedSerials);
  const publisher = new TrustPublisher(rotation.roots(), revocations, logger);
  const keeper = new StateKeeper(store, () => ({
    version: STATE_VERSION,
    trustDomain,
    signers: rotation.signers.map((each) => ({
      ...each.signer.texts,
      state: each.state,
      sinceMs: each.sinceMs,
    })),
    tokens: tokens.records(),
    revokedIds: revocations.ids(),
    revokedSerials: revocations.serials(),
  }));
  const publish = (): void => publisher.publish(rotation.roots(), revocations);
  return { options, x509, rotation, tokens, revocations, journal, publisher, keeper, publish };
}

async function warnOfOtherFiles(
  { readSigner, clock, logger }: IdentityOptions,
  x509: X509Library,
  signers: readonly RotatingSigner[],
): Promise<void> {
  if (readSigner === undefined) return;
  const given = await Signer.of(x509, await readSigner(), clock.nowMs());
  if (signers.some(({ signer }) => signer.id === given.id)) return;
  logger.warn("the authority's files hold another certificate than the one that signs", {
    remedy: "run purser identity rotate-root",
  });
}

async function firstState(
  { trustDomain, readSigner }: IdentityOptions,
  x509: X509Library,
  nowMs: number,
): Promise<IdentityState> {
  const texts = readSigner === undefined ? await newRoot(x509, trustDomain, nowMs) : await readSigner();
  return {
    version: STATE_VERSION,
    trustDomain,
    signers: [{ ...texts, state: "signing", sinceMs: nowMs }],
    tokens: [],
    revokedIds: [],
    revokedSerials: [],
  };
}
