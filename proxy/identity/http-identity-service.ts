// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash, X509Certificate } from "node:crypto";
import type {
  IdentityService,
  IssuedIdentity,
  IssueRequest,
  ShownCertificate,
  TrustState,
} from "../../api/identity-service.ts";
import {
  CERTIFICATES_PATH,
  decodeIssuedIdentity,
  decodeRoots,
  decodeTrust,
  encodeTrustRequest,
  ROOTS_PATH,
} from "../../api/json/identity.ts";
import { type JoinToken, parseJoinToken } from "../../core/identity/join-token.ts";
import { IDENTITY_SERVICE_ACCOUNT, parseSpiffeId, workloadIdOf } from "../../core/identity/spiffe-id.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { Clock, Logger, Random, Scheduler } from "../../kernel/ports.ts";
import { CallFailure, type ClientTls, JsonClient, type JsonReply } from "../control-plane/json-client.ts";
import { startLongPoll } from "../control-plane/long-poll.ts";

export interface HttpIdentityOptions {
  /** An `https:` URL. */
  readonly url: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** Maximum time for which the service may hold a poll, in milliseconds; default 25,000. */
  readonly pollMs?: number;
}

const CONNECT_TIMEOUT_MS = 2_000;
const CALL_TIMEOUT_MS = 10_000;
/** Time allowed for the reply to a held poll beyond `pollMs`. */
const POLL_GRACE_MS = 5_000;
/** 10,000 revoked identities and 100,000 serial numbers fit. */
const REPLY_LIMIT_BYTES = 16 << 20;

/** The identity service over HTTP with TLS. */
export function createHttpIdentityService(options: HttpIdentityOptions): IdentityService {
  return new HttpIdentityService(options);
}

class HttpIdentityService implements IdentityService {
  readonly #options: HttpIdentityOptions;

  constructor(options: HttpIdentityOptions) {
    this.#options = options;
  }

  async issue(request: IssueRequest, shown: ShownCertificate | undefined): Promise<IssuedIdentity> {
    const { joinToken } = request;
    const tls = joinToken === undefined ? tlsOf(shown) : await this.#joinTls(joinToken);
    const body = JSON.stringify(request);
    return decodeIssuedIdentity(await this.#call(tls, "POST", CERTIFICATES_PATH, body));
  }

  watchTrust(
    initial: TrustState,
    shown: ShownCertificate,
    listener: (trust: TrustState) => void,
  ): () => void {
    const { pollMs: waitMs = 25_000 } = this.#options;
    const client = this.#client(tlsOf(shown));
    const stop = startLongPoll<TrustState>({
      ...this.#options,
      servers: [client],
      path: (known = initial) =>
        encodeTrustRequest({ known: known.version, bundle: known.bundleVersion, waitMs }),
      decode: decodeTrust,
      onNews: listener,
      waitMs,
      graceMs: POLL_GRACE_MS,
    });
    return () => {
      stop();
      void client.close();
    };
  }

  /**
   * The roots that the service names and the token pins. The bundle is fetched without trust in the server: only the roots
   * that the token names by their hashes are used, and the token is sent to a server that they vouch for.
   */
  async #joinTls(text: string): Promise<ClientTls> {
    const token = parseJoinToken(text);
    if (token === undefined)
      throw new PurserError(
        "PURSER_IDENTITY_TOKEN",
        "the join token is not of the form purser-join.SECRET.ROOT",
      );
    const anyServer: ClientTls = { authorities: undefined, serverFault: () => undefined };
    const { trustBundle } = decodeRoots(await this.#call(anyServer, "GET", ROOTS_PATH));
    const roots = pinnedRoots(trustBundle, token);
    if (roots.length === 0)
      throw new PurserError(
        "PURSER_IDENTITY_TOKEN",
        `${this.#options.url} has none of the roots that the join token names: the token is of another identity service, or older than its root`,
      );
    return { authorities: roots.join(""), serverFault: (names) => serverFault(names, undefined) };
  }

  async #call(tls: ClientTls, method: "GET" | "POST", path: string, body?: string): Promise<unknown> {
    const client = this.#client(tls);
    try {
      const timeoutMs = CALL_TIMEOUT_MS;
      const reply: JsonReply | CallFailure = await client.call({
        method,
        path,
        timeoutMs,
        ...(body === undefined ? {} : { body }),
      });
      if (reply instanceof CallFailure) throw reply.error;
      return reply.body;
    } finally {
      await client.close();
    }
  }

  #client(tls: ClientTls): JsonClient {
    const { url, scheduler } = this.#options;
    return new JsonClient({
      url,
      scheduler,
      tls,
      unavailable: "PURSER_IDENTITY_UNAVAILABLE",
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      connections: 1,
      replyLimitBytes: REPLY_LIMIT_BYTES,
    });
  }
}

function tlsOf(shown: ShownCertificate | undefined): ClientTls {
  if (shown === undefined)
    throw new PurserError(
      "PURSER_IDENTITY_UNAUTHENTICATED",
      "there is neither a certificate nor a join token",
    );
  const { certificateChain: certificate, privateKey, trustBundle: authorities } = shown;
  const own = new X509Certificate(certificate).subjectAltName?.replace(URI, "") ?? "";
  const trustDomain = parseSpiffeId(own)?.trustDomain;
  return { authorities, certificate, privateKey, serverFault: (names) => serverFault(names, trustDomain) };
}

const URI = "URI:";

/** @param trustDomain Undefined before the first certificate: the token's root tells the trust domain. */
function serverFault(subjectAltNames: string, trustDomain: string | undefined): string | undefined {
  const id = parseSpiffeId(subjectAltNames.startsWith(URI) ? subjectAltNames.slice(URI.length) : "");
  const domain = trustDomain ?? id?.trustDomain ?? "";
  if (subjectAltNames === URI + workloadIdOf(domain, IDENTITY_SERVICE_ACCOUNT)) return undefined;
  return `the server is ${subjectAltNames === "" ? "nameless" : subjectAltNames}, not the identity service`;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function pinnedRoots(trustBundle: string, { rootPins }: JoinToken): readonly string[] {
  return (trustBundle.match(CERTIFICATE) ?? []).flatMap((block) => {
    const pin = createHash("sha256").update(new X509Certificate(block).raw).digest("base64url");
    return rootPins.includes(pin) ? [`${block}\n`] : [];
  });
}
