// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { SIGNER_STATES, type SignerState } from "../../api/identity-service.ts";
import { createDecoder } from "../../api/json/schema/decoder.ts";
import { exactly } from "../../api/json/schema/exactly.ts";
import { oneOf, Text, Whole } from "../../api/json/schema/fields.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { SignerTexts } from "../authority/signer.ts";

/** Version of the form of the state; another one is refused, never guessed at. */
export const STATE_VERSION = 1;

/** All that must survive a restart, apart from the journal of certificates. Times are milliseconds since the Unix epoch. */
export interface IdentityState {
  readonly version: typeof STATE_VERSION;
  readonly trustDomain: string;
  readonly signers: readonly SignerRecord[];
  readonly tokens: readonly TokenRecord[];
  readonly revokedIds: readonly RevokedId[];
  readonly revokedSerials: readonly RevokedSerial[];
}

export interface SignerRecord extends SignerTexts {
  readonly state: SignerState;
  readonly sinceMs: number;
}

export interface TokenRecord {
  /** SHA-256 of the secret, in base64url: the secret has 256 random bits, so that a slow hash would gain nothing. */
  readonly hash: string;
  readonly spiffeId: string;
  readonly expiresAtMs: number;
  /** SHA-256 of the public key that used the token; absent while it is unused. */
  readonly usedBy?: string;
}

export interface RevokedId {
  readonly spiffeId: string;
  readonly sinceMs: number;
  readonly reason: string;
}

export interface RevokedSerial {
  /** Hexadecimal, upper case, without leading zeros. */
  readonly serial: string;
  /** When the certificate ends, and its revocation with it. */
  readonly notAfterMs: number;
}

/** A certificate that was issued. */
export interface JournalEntry {
  readonly serial: string;
  readonly spiffeId: string;
  /** Id of the signer. */
  readonly signer: string;
  readonly issuedAtMs: number;
  readonly notAfterMs: number;
  /** Serial of the certificate that this one renews. */
  readonly previous?: string;
}

/** The place of the state: a folder, or memory. Every function rejects with PURSER_IDENTITY_STATE when it fails. */
export interface StateStore {
  /** Undefined when there is none yet. */
  load(): Promise<IdentityState | undefined>;
  /** Replaces the state: after a crash there is the old one or the new one. */
  save(state: IdentityState): Promise<void>;
  /** The entries in the order of their issue; undefined when there is no journal. */
  loadJournal(): Promise<readonly JournalEntry[] | undefined>;
  appendJournal(entry: JournalEntry): Promise<void>;
  /** Replaces the journal. */
  saveJournal(entries: readonly JournalEntry[]): Promise<void>;
}

const refuse = (fault: string): PurserError =>
  new PurserError("PURSER_IDENTITY_STATE", `the state of the identity service is damaged: ${fault}`);

/** @throws {PurserError} PURSER_IDENTITY_STATE, naming the field. */
export const decodeState = createDecoder(
  exactly<IdentityState>()(
    Type.Object({
      version: Type.Literal(STATE_VERSION),
      trustDomain: Text,
      signers: Type.Array(
        Type.Object({
          certificate: Text,
          root: Text,
          privateKey: Text,
          state: oneOf(SIGNER_STATES),
          sinceMs: Whole,
        }),
      ),
      tokens: Type.Array(
        Type.Object({ hash: Text, spiffeId: Text, expiresAtMs: Whole, usedBy: Type.Optional(Text) }),
      ),
      revokedIds: Type.Array(Type.Object({ spiffeId: Text, sinceMs: Whole, reason: Text })),
      revokedSerials: Type.Array(Type.Object({ serial: Text, notAfterMs: Whole })),
    }),
  ),
  refuse,
);

/** @throws {PurserError} PURSER_IDENTITY_STATE, naming the field. */
export const decodeJournalEntry = createDecoder(
  exactly<JournalEntry>()(
    Type.Object({
      serial: Text,
      spiffeId: Text,
      signer: Text,
      issuedAtMs: Whole,
      notAfterMs: Whole,
      previous: Type.Optional(Text),
    }),
  ),
  refuse,
);
