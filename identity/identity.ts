// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { X509Certificate } from "node:crypto";
import type {
  CreatedToken,
  IdentityStatus,
  IssuedIdentity,
  IssueRequest,
  OperatorIdentity,
  RevocationChange,
  RevokeCommand,
  TokenCommand,
  TrustState,
} from "../api/identity-service.ts";
import { DEFAULT_TOKEN_MS } from "../api/identity-service.ts";
import { formatJoinToken, parseJoinToken } from "../core/identity/join-token.ts";
import {
  IDENTITY_SERVICE_ACCOUNT,
  parseServiceAccount,
  parseSpiffeId,
  serviceAccountOf,
  trustDomainFault,
  workloadIdOf,
} from "../core/identity/spiffe-id.ts";
import { messageOf, PurserError } from "../kernel/errors.ts";
import type { Cancel, Clock, Logger, Scheduler } from "../kernel/ports.ts";
import { type CertificateRequest, readCertificateRequest } from "./authority/certificate-request.ts";
import { newPrivateKey, publicKeyOf } from "./authority/keys.ts";
import { pinOf } from "./authority/pem.ts";
import { type IssuedCertificate, newRoot, Signer, type SignerTexts } from "./authority/signer.ts";
import { loadX509, type X509Library } from "./authority/x509-library.ts";
import { Journal } from "./journal.ts";
import { JoinTokens } from "./join-tokens.ts";
import { type Peer, peerOf } from "./peer.ts";
import { RateLimit } from "./rate-limit.ts";
import { Revocations } from "./revocations.ts";
import { Rotation } from "./rotation.ts";
import { type IdentityState, STATE_VERSION, type StateStore } from "./state/state.ts";
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

/** How often ended certificates are forgotten, and a rotation's next step is tried. */
const TICK_MS = 1_000;

/** Part of its lifetime after which the service renews its own certificate. */
const OWN_RENEWAL_SHARE = 0.5;

/** Counts since the start. */
export interface IdentityCounts {
  joins: number;
  renewals: number;
  refusals: number;
}

/**
 * The certificate authority of a mesh. It certifies keys of workloads for a short time, tells proxies which roots to trust
 * and which workloads not to, and replaces its root while the mesh runs.
 */
export class Identity implements OperatorIdentity {
  readonly counts: IdentityCounts = { joins: 0, renewals: 0, refusals: 0 };
  readonly trustDomain: string;
  readonly #options: IdentityOptions;
  readonly #x509: X509Library;
  readonly #rotation: Rotation;
  readonly #tokens: JoinTokens;
  readonly #revocations: Revocations;
  readonly #journal: Journal;
  readonly #publisher: TrustPublisher;
  readonly #rate: RateLimit;
  readonly #cancelTick: Cancel;
  #saving: Promise<void> = Promise.resolve();
  #advancing = false;

  private constructor(options: IdentityOptions, parts: IdentityParts) {
    const { trustDomain, clock, scheduler, logger } = options;
    this.#options = options;
    this.trustDomain = trustDomain;
    this.#x509 = parts.x509;
    this.#rotation = parts.rotation;
    this.#tokens = parts.tokens;
    this.#revocations = parts.revocations;
    this.#journal = parts.journal;
    this.#publisher = new TrustPublisher(parts.rotation.roots(), parts.revocations, logger);
    this.#rate = new RateLimit(clock);
    this.#cancelTick = scheduler.every(TICK_MS, () => void this.#tick());
  }

  /**
   * Reads the state, or makes the first one.
   *
   * @throws {PurserError} PURSER_IDENTITY_STATE, PURSER_IDENTITY_SIGNER, PURSER_CLI_USAGE for a wrong trust domain.
   */
  static async start(options: IdentityOptions): Promise<Identity> {
    const { trustDomain, store, clock, lifetimeMs, logger, readSigner } = options;
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
    const journal = new Journal(store);
    // The state first: a journal without a state would count as complete.
    if (loaded === undefined) await store.save(state);
    await journal.load(loaded === undefined, nowMs, lifetimeMs);
    const identity = new Identity(options, {
      x509,
      rotation: new Rotation(signers),
      tokens: new JoinTokens(state.tokens),
      revocations: new Revocations(state.revokedIds, state.revokedSerials),
      journal,
    });
    if (loaded !== undefined && readSigner !== undefined) {
      const given = await Signer.of(x509, await readSigner(), nowMs);
      if (!signers.some(({ signer }) => signer.id === given.id))
        logger.warn("the authority's files hold another certificate than the one that signs", {
          remedy: "run purser identity rotate-root",
        });
    }
    return identity;
  }

  get trust(): TrustState {
    return this.#publisher.current;
  }

  get watcherCount(): number {
    return this.#publisher.watcherCount;
  }

  get #ownId(): string {
    return workloadIdOf(this.trustDomain, IDENTITY_SERVICE_ACCOUNT);
  }

  /** When the certificate that signs, or one above it, ends; in milliseconds since the Unix epoch. */
  get authorityNotAfterMs(): number {
    return this.#rotation.signing.notAfterMs;
  }

  get isRotating(): boolean {
    return this.#rotation.signers.length > 1;
  }

  get liveCertificates(): number {
    return this.#journal.liveCount;
  }

  /** See TrustPublisher.watch. */
  watchTrust(listener: (trust: TrustState) => void): () => void {
    return this.#publisher.watch(listener);
  }

  /** The workload of a certificate whose chain is verified; the reason that it is none as a text. */
  peerOf(certificate: X509Certificate): Peer | string {
    const { trustDomain } = this;
    return peerOf(this.#x509, certificate, { trustDomain, nowMs: this.#options.clock.nowMs() });
  }

  /** The reason for which a workload may not be served; undefined when it may. */
  peerFault({ spiffeId, serial, notAfterMs }: Peer): PurserError | undefined {
    if (this.#revocations.covers(spiffeId, serial))
      return new PurserError("PURSER_IDENTITY_REVOKED", `${spiffeId} is revoked`);
    // A connection may outlive the certificate that it was opened with.
    if (notAfterMs < this.#options.clock.nowMs())
      return new PurserError("PURSER_IDENTITY_UNAUTHENTICATED", "the client certificate has ended");
    return undefined;
  }

  /** Notes which bundle a workload applies. */
  acknowledge({ serial }: Peer, bundleVersion: string | undefined): void {
    this.#journal.acknowledge(serial, bundleVersion);
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
      this.#options.logger.warn("a certificate was refused", {
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
    const token = this.#tokens.find(secret, this.#options.clock.nowMs());
    if (token === undefined) throw badToken("it is unknown or expired");
    const request = await readCertificateRequest(this.#x509, requestText);
    this.#assertIdentity(token.spiffeId, request);
    if (!this.#tokens.use(token, request.keyHash)) throw badToken("another proxy has used it");
    // Saved first: after a crash another proxy must not be able to use it.
    await this.#save();
    const issued = await this.#certify(request, token.spiffeId, undefined);
    this.counts.joins++;
    return issued;
  }

  async #renew(requestText: string, peer: Peer): Promise<IssuedIdentity> {
    const fault = this.peerFault(peer);
    if (fault !== undefined) throw fault;
    const request = await readCertificateRequest(this.#x509, requestText);
    this.#assertIdentity(peer.spiffeId, request);
    this.#journal.acknowledge(peer.serial, undefined);
    const issued = await this.#certify(request, peer.spiffeId, peer.serial);
    this.counts.renewals++;
    return issued;
  }

  #assertIdentity(spiffeId: string, { uris }: CertificateRequest): void {
    if (this.#revocations.covers(spiffeId))
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
    const trust = this.trust;
    await this.#journal.record(
      { serial, spiffeId, signer, issuedAtMs, notAfterMs, ...(previous === undefined ? {} : { previous }) },
      trust.bundleVersion,
    );
    // The identity may have been revoked while the certificate was signed, before the journal knew of it.
    if (this.#revocations.covers(spiffeId))
      throw new PurserError("PURSER_IDENTITY_REVOKED", `${spiffeId} is revoked`);
    this.#options.logger.info("a certificate was issued", {
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
    const { clock, lifetimeMs } = this.#options;
    for (;;) {
      const signer = this.#rotation.signing;
      const issued = await signer.issue(publicKey, spiffeId, { nowMs: clock.nowMs(), lifetimeMs });
      // A rotation that went on meanwhile has not waited for this certificate.
      if (signer === this.#rotation.signing) return { signer: signer.id, issued };
    }
  }

  /** A certificate and key for the service itself, with the time at which to make the next. */
  async ownCertificate(): Promise<OwnCertificate> {
    const privateKey = await newPrivateKey();
    const publicKey = await publicKeyOf(privateKey);
    const { issued, signer } = await this.#sign(publicKey, this.#ownId);
    const { chain, issuedAtMs, notAfterMs } = issued;
    const renewAtMs = issuedAtMs + (notAfterMs - issuedAtMs) * OWN_RENEWAL_SHARE;
    return { certificateChain: chain, privateKey, signer, renewAtMs };
  }

  /** Id of the signer that signs now. */
  get signerId(): string {
    return this.#rotation.signing.id;
  }

  async createToken({ serviceAccount, forMs = DEFAULT_TOKEN_MS }: TokenCommand): Promise<CreatedToken> {
    const account = parseServiceAccount(serviceAccount);
    if (account === undefined)
      throw new PurserError(
        "PURSER_REQUEST_INVALID",
        `${JSON.stringify(serviceAccount)} is no service account: it must be NAMESPACE/NAME in lower case, such as shop/cart`,
      );
    const spiffeId = workloadIdOf(this.trustDomain, account);
    if (spiffeId === this.#ownId)
      throw new PurserError("PURSER_REQUEST_INVALID", `${serviceAccount} is the identity service itself`);
    if (this.#revocations.covers(spiffeId))
      throw new PurserError("PURSER_IDENTITY_REVOKED", `${spiffeId} is revoked`);
    const expiresAtMs = this.#options.clock.nowMs() + forMs;
    const secret = this.#tokens.create(spiffeId, expiresAtMs);
    await this.#save();
    const expires = new Date(expiresAtMs).toISOString();
    this.#options.logger.info("a join token was made", { spiffeId, expires });
    const token = formatJoinToken({ secret, rootPins: this.#rotation.roots().map(pinOf) });
    return { token, spiffeId, expires };
  }

  async revoke(command: RevokeCommand): Promise<RevocationChange> {
    const { spiffeId, reason } = this.#checked(command);
    const certificates = this.#journal.of(spiffeId);
    const sinceMs = this.#options.clock.nowMs();
    const changed = this.#revocations.revoke({ spiffeId, reason, sinceMs }, certificates);
    this.#tokens.endOf(spiffeId);
    // Proxies first: a disk that fails must not keep a stolen key in use.
    this.#publish();
    this.#options.logger.warn("an identity was revoked", { spiffeId, reason, certificates: certificates.length });
    await this.#save();
    return { spiffeId, changed, certificates: certificates.length };
  }

  async restore(command: RevokeCommand): Promise<RevocationChange> {
    const { spiffeId, reason } = this.#checked(command);
    const changed = this.#revocations.restore(spiffeId);
    await this.#save();
    this.#publish();
    this.#options.logger.warn("an identity was restored", { spiffeId, reason });
    return { spiffeId, changed, certificates: this.#journal.of(spiffeId).length };
  }

  #checked(command: RevokeCommand): RevokeCommand {
    const id = parseSpiffeId(command.spiffeId);
    if (id?.trustDomain === this.trustDomain && serviceAccountOf(id) !== undefined) return command;
    throw new PurserError(
      "PURSER_REQUEST_INVALID",
      `${JSON.stringify(command.spiffeId)} is no identity of this mesh: it must be spiffe://${this.trustDomain}/ns/NAMESPACE/sa/NAME`,
    );
  }

  async rotateRoot(): Promise<IdentityStatus> {
    const { clock, readSigner, logger } = this.#options;
    this.#rotation.assertIdle();
    const nowMs = clock.nowMs();
    const texts = readSigner === undefined ? await newRoot(this.#x509, this.trustDomain, nowMs) : await readSigner();
    const next = await Signer.of(this.#x509, texts, nowMs);
    this.#rotation.begin(next, nowMs);
    await this.#save();
    this.#publish();
    logger.info("a rotation of the root has begun", { next: next.id });
    return this.status();
  }

  status(): IdentityStatus {
    const nowMs = this.#options.clock.nowMs();
    const { bundleVersion } = this.trust;
    return {
      trustDomain: this.trustDomain,
      bundleVersion,
      signers: this.#rotation.signers.map((each) => ({
        id: each.signer.id,
        state: each.state,
        since: new Date(each.sinceMs).toISOString(),
        notAfter: new Date(each.signer.notAfterMs).toISOString(),
        waitingFor: this.#rotation.waitingFor(each, this.#journal, bundleVersion, nowMs),
      })),
      liveCertificates: this.#journal.liveCount,
      openTokens: this.#tokens.unusedCount,
      revokedIds: this.#revocations.ids().map(({ spiffeId }) => spiffeId),
    };
  }

  /** Ends the service's timers, and waits until its state is written. */
  async close(): Promise<void> {
    this.#cancelTick();
    await Promise.allSettled([this.#saving, this.#journal.flush()]);
  }

  async #tick(): Promise<void> {
    const { clock, logger } = this.#options;
    const nowMs = clock.nowMs();
    this.#journal.prune(nowMs);
    this.#tokens.prune(nowMs);
    if (this.#revocations.prune(nowMs)) this.#publish();
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      const before = this.#rotation.signers;
      if (this.#rotation.advance(this.#journal, this.trust.bundleVersion, nowMs)) {
        try {
          // Saved before it takes effect: after a crash the service must know every root that it has signed with.
          await this.#save();
        } catch (error) {
          this.#rotation.restore(before);
          throw error;
        }
        logger.info("a rotation of the root took a step", {
          signers: this.#rotation.signers.map(({ signer, state }) => ({ id: signer.id, state })),
        });
        this.#publish();
      }
    } catch (error) {
      logger.error("a rotation of the root could not go on", { error: messageOf(error) });
    } finally {
      this.#advancing = false;
    }
  }

  #publish(): void {
    this.#publisher.publish(this.#rotation.roots(), this.#revocations);
  }

  /** Writes the state as it is when the write begins: one write at a time. */
  #save(): Promise<void> {
    const saved = this.#saving.then(() => this.#options.store.save(this.#state()));
    this.#saving = saved.catch(() => {});
    return saved;
  }

  #state(): IdentityState {
    return {
      version: STATE_VERSION,
      trustDomain: this.trustDomain,
      signers: this.#rotation.signers.map(({ signer, state, sinceMs }) => ({ ...signer.texts, state, sinceMs })),
      tokens: this.#tokens.records(),
      revokedIds: this.#revocations.ids(),
      revokedSerials: this.#revocations.serials(),
    };
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

interface IdentityParts {
  readonly x509: X509Library;
  readonly rotation: Rotation;
  readonly tokens: JoinTokens;
  readonly revocations: Revocations;
  readonly journal: Journal;
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

function badToken(fault: string): PurserError {
  return new PurserError("PURSER_IDENTITY_TOKEN", `the join token is refused: ${fault}`);
}
