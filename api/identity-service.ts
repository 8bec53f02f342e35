// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The interface of proxies to the identity service, in the same process or over HTTP (api/json/identity.ts). Operators' calls
 * are apart, in OperatorIdentity.
 */
export interface IdentityService {
  /**
   * Certifies a key. With a join token the token decides the identity; without one the certificate that the proxy shows does.
   *
   * @param shown The proxy's present certificate and key; undefined for a first join.
   * @throws {PurserError} PURSER_IDENTITY_TOKEN, PURSER_IDENTITY_REVOKED, PURSER_IDENTITY_REQUEST,
   * PURSER_IDENTITY_UNAUTHENTICATED, PURSER_OVERLOADED, PURSER_IDENTITY_UNAVAILABLE.
   */
  issue(request: IssueRequest, shown: ShownCertificate | undefined): Promise<IssuedIdentity>;
  /**
   * Calls `listener` with the trust state when it differs from the known one, and after each change, until stopped. A remote
   * implementation reconnects by itself.
   *
   * @param known The state that the proxy applies: the service waits for it before it signs with a new root.
   */
  watchTrust(known: TrustState, shown: ShownCertificate, listener: (trust: TrustState) => void): () => void;
}

export interface IssueRequest {
  /** PKCS #10 (RFC 2986) in PEM. */
  readonly certificateRequest: string;
  /** See core/identity/join-token.ts. */
  readonly joinToken?: string;
}

/** A certificate with its key, as a proxy shows it in a handshake; PEM. */
export interface ShownCertificate {
  readonly certificateChain: string;
  readonly privateKey: string;
  /** The roots that the proxy trusts. */
  readonly trustBundle: string;
}

export interface IssuedIdentity {
  readonly spiffeId: string;
  /** The certificate, then its intermediates; PEM. */
  readonly certificateChain: string;
  /** In milliseconds since the Unix epoch, by the service's clock. */
  readonly issuedAtMs: number;
  readonly notAfterMs: number;
  readonly trust: TrustState;
}

/** The roots to trust, and the identities and certificates not to trust. */
export interface TrustState {
  /** Changes with every part of the state. */
  readonly version: string;
  /** Changes with the roots alone. */
  readonly bundleVersion: string;
  /** The roots, in PEM. */
  readonly trustBundle: string;
  /** SPIFFE ids. */
  readonly revokedIds: readonly string[];
  /** Serial numbers: hexadecimal, upper case, without leading zeros. */
  readonly revokedSerials: readonly string[];
}

/** The interface of operators to the identity service. */
export interface OperatorIdentity {
  /** @throws {PurserError} PURSER_REQUEST_INVALID, PURSER_IDENTITY_REVOKED, PURSER_IDENTITY_FULL. */
  createToken(command: TokenCommand): Promise<CreatedToken>;
  /** @throws {PurserError} PURSER_REQUEST_INVALID, PURSER_IDENTITY_FULL. */
  revoke(command: RevokeCommand): Promise<RevocationChange>;
  /** Lets an identity join again; certificates that it had before stay revoked. */
  restore(command: RevokeCommand): Promise<RevocationChange>;
  /** Begins to replace the root. @throws {PurserError} PURSER_IDENTITY_ROTATION, PURSER_IDENTITY_SIGNER. */
  rotateRoot(): Promise<IdentityStatus>;
  status(): IdentityStatus;
}

export interface TokenCommand {
  /** `NAMESPACE/NAME`. */
  readonly serviceAccount: string;
  /** How long the token can be used, in milliseconds, from 1,000 to MAX_TOKEN_MS. Default DEFAULT_TOKEN_MS. */
  readonly forMs?: number;
}

export const DEFAULT_TOKEN_MS = 3_600_000;
export const MAX_TOKEN_MS = 7 * 86_400_000;

export interface CreatedToken {
  /** The secret, which the service does not keep. */
  readonly token: string;
  readonly spiffeId: string;
  /** ISO 8601. */
  readonly expires: string;
}

export interface RevokeCommand {
  readonly spiffeId: string;
  /** For the log. */
  readonly reason: string;
}

export interface RevocationChange {
  readonly spiffeId: string;
  /** False when it was revoked, or not revoked, already. */
  readonly changed: boolean;
  /** Number of unexpired certificates of the identity, which are refused. */
  readonly certificates: number;
}

/** Steps of a root's rotation, as a root passes them. */
export const SIGNER_STATES = ["announced", "signing", "retiring"] as const;
export type SignerState = (typeof SIGNER_STATES)[number];

export interface IdentityStatus {
  readonly trustDomain: string;
  readonly bundleVersion: string;
  readonly signers: readonly SignerStatus[];
  /** Number of certificates that have not ended. */
  readonly liveCertificates: number;
  /** Number of join tokens that can be used. */
  readonly openTokens: number;
  readonly revokedIds: readonly string[];
}

export interface SignerStatus {
  /** SHA-256 of the certificate that signs, in base64url. */
  readonly id: string;
  readonly state: SignerState;
  /** ISO 8601: since when the signer is in this state. */
  readonly since: string;
  /** ISO 8601. */
  readonly notAfter: string;
  /** Number of live certificates that keep the rotation from its next step. */
  readonly waitingFor: number;
}
