// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { PurserError } from "../../kernel/errors.ts";
import {
  type CreatedToken,
  type IdentityStatus,
  type IssuedIdentity,
  type IssueRequest,
  MAX_TOKEN_MS,
  type RevocationChange,
  type RevokeCommand,
  SIGNER_STATES,
  type TokenCommand,
  type TrustState,
} from "../identity-service.ts";
import { invalidRequest } from "./faults.ts";
import { givenTwice, type QueryParameters, unknownParameter, waitMsOf } from "./query.ts";
import { createDecoder } from "./schema/decoder.ts";
import { exactly } from "./schema/exactly.ts";
import { closed, Identifier, oneOf, Text, Whole } from "./schema/fields.ts";

/**
 * The identity service over HTTP with TLS.
 *
 * - `GET /v1/identity/roots`: the trust bundle, as `{"trustBundle": PEM}`, without a client certificate. A proxy that joins
 *   compares its roots with the pins of its token.
 * - `POST /v1/identity/certificates`: an IssueRequest, answered with an IssuedIdentity. With a join token, or with a client
 *   certificate of this service.
 * - `GET /v1/identity/trust?known=V&bundle=V&waitMs=MS`: a long poll with a client certificate of this service. 200 carries a
 *   TrustState; 304 means that `known` is current. `bundle` is the bundle version that the proxy applies.
 *
 * The operator's surface, with the operator's key as a bearer token: `POST /v1/identity/tokens` (TokenCommand, CreatedToken),
 * `POST /v1/identity/revoke` and `POST /v1/identity/restore` (RevokeCommand, RevocationChange),
 * `POST /v1/identity/rotate-root` and `GET /v1/identity/status` (IdentityStatus).
 */
export const ROOTS_PATH = "/v1/identity/roots";
export const CERTIFICATES_PATH = "/v1/identity/certificates";
export const TRUST_PATH = "/v1/identity/trust";
export const TOKENS_PATH = "/v1/identity/tokens";
export const REVOKE_PATH = "/v1/identity/revoke";
export const RESTORE_PATH = "/v1/identity/restore";
export const ROTATE_PATH = "/v1/identity/rotate-root";
export const STATUS_PATH = "/v1/identity/status";

export interface TrustRequest {
  readonly known: string | undefined;
  readonly bundle: string | undefined;
  /** In milliseconds. */
  readonly waitMs: number;
}

/** The path and query of a long poll. */
export function encodeTrustRequest({ known, bundle, waitMs }: TrustRequest): string {
  const query = [
    ...(known === undefined ? [] : [`known=${encodeURIComponent(known)}`]),
    ...(bundle === undefined ? [] : [`bundle=${encodeURIComponent(bundle)}`]),
    `waitMs=${waitMs}`,
  ];
  return `${TRUST_PATH}?${query.join("&")}`;
}

/** @throws {PurserError} PURSER_REQUEST_INVALID, naming the parameter. */
export function decodeTrustRequest(parameters: QueryParameters): TrustRequest {
  const { known, bundle, waitMs: _, ...others } = parameters;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw unknownParameter(unknown);
  if (known !== undefined && typeof known !== "string") throw givenTwice("known");
  if (bundle !== undefined && typeof bundle !== "string") throw givenTwice("bundle");
  return { known, bundle, waitMs: waitMsOf(parameters) };
}

/** Longest text of a PEM part in a request, in characters. */
const MAX_PEM_LENGTH = 16_384;

const TrustSchema = exactly<TrustState>()(
  Type.Object({
    version: Text,
    bundleVersion: Text,
    trustBundle: Text,
    revokedIds: Type.Array(Text),
    revokedSerials: Type.Array(Text),
  }),
);

const SpiffeIdText = Type.String({ minLength: 1, maxLength: 2_048 });
const Reason = Type.String({ minLength: 1, maxLength: 200 });
const RevokeSchema = exactly<RevokeCommand>()(closed({ spiffeId: SpiffeIdText, reason: Reason }));

/** @throws {PurserError} PURSER_REQUEST_INVALID, naming the field; as all decoders of requests here. */
export const decodeIssueRequest = createDecoder(
  exactly<IssueRequest>()(
    closed({
      certificateRequest: Type.String({ minLength: 1, maxLength: MAX_PEM_LENGTH }),
      joinToken: Type.Optional(Identifier),
    }),
  ),
  invalidRequest,
);
export const decodeTokenCommand = createDecoder(
  exactly<TokenCommand>()(
    closed({
      serviceAccount: Identifier,
      forMs: Type.Optional(Type.Integer({ minimum: 1_000, maximum: MAX_TOKEN_MS })),
    }),
  ),
  invalidRequest,
);
export const decodeRevokeCommand = createDecoder(RevokeSchema, invalidRequest);

const refuseReply = (fault: string): PurserError =>
  new PurserError(
    "PURSER_IDENTITY_UNAVAILABLE",
    `the answer of the identity service is not of the documented form: ${fault}`,
  );

/** @throws {PurserError} PURSER_IDENTITY_UNAVAILABLE, naming the field; as all decoders of replies here. */
export const decodeTrust = createDecoder(TrustSchema, refuseReply);
export const decodeRoots = createDecoder(
  exactly<Pick<TrustState, "trustBundle">>()(Type.Object({ trustBundle: Text })),
  refuseReply,
);
export const decodeIssuedIdentity = createDecoder(
  exactly<IssuedIdentity>()(
    Type.Object({
      spiffeId: Text,
      certificateChain: Text,
      issuedAtMs: Whole,
      notAfterMs: Whole,
      trust: TrustSchema,
    }),
  ),
  refuseReply,
);
export const decodeCreatedToken = createDecoder(
  exactly<CreatedToken>()(Type.Object({ token: Text, spiffeId: Text, expires: Text })),
  refuseReply,
);
export const decodeRevocationChange = createDecoder(
  exactly<RevocationChange>()(Type.Object({ spiffeId: Text, changed: Type.Boolean(), certificates: Whole })),
  refuseReply,
);
export const decodeIdentityStatus = createDecoder(
  exactly<IdentityStatus>()(
    Type.Object({
      trustDomain: Text,
      bundleVersion: Text,
      signers: Type.Array(
        Type.Object({
          id: Text,
          state: oneOf(SIGNER_STATES),
          since: Text,
          notAfter: Text,
          waitingFor: Whole,
        }),
      ),
      liveCertificates: Whole,
      openTokens: Whole,
      revokedIds: Type.Array(Text),
    }),
  ),
  refuseReply,
);
