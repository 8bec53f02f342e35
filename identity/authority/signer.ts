// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { randomBytes, webcrypto, X509Certificate } from "node:crypto";
import { signerFault } from "../../core/identity/svid-rules.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import { certificateFacts } from "./certificate-facts.ts";
import { newPrivateKey, publicKeyOf, type SigningKey, signingKeyOf } from "./keys.ts";
import { certificatesIn, pinOf } from "./pem.ts";
import type { X509Library } from "./x509-library.ts";

/** The authority's certificate and key, as the state folder keeps them. */
export interface SignerTexts {
  /** The certificate that signs, then the intermediates up to the root, which is left out; PEM. */
  readonly certificate: string;
  /** The root that peers trust; for an authority of its own the same certificate. PEM. */
  readonly root: string;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
}

/** How long an authority's own root lasts. */
const ROOT_LIFETIME_MS = 10 * 365 * 86_400_000;

/** Clocks of proxies may be behind the authority's by as much. */
export const BACKDATE_MS = 60_000;

/** A new root of this authority: a key and a certificate that signed itself. */
export async function newRoot(x509: X509Library, trustDomain: string, nowMs: number): Promise<SignerTexts> {
  const privateKey = await newPrivateKey();
  const { key, algorithm } = await signingKeyOf(privateKey);
  const publicKey = await publicKeyOf(privateKey);
  // The name tells this root from its predecessors: some tools find issuers by name alone.
  const tag = randomBytes(4).toString("hex");
  const name = new x509.Name([{ O: [trustDomain] }, { CN: [`Purser root ${tag}`] }]).toString();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: name,
    issuer: name,
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + ROOT_LIFETIME_MS),
    publicKey,
    signingKey: key,
    signingAlgorithm: algorithm,
    extensions: [
      // Path length 0: a workload's certificate follows it, and no further authority.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.SubjectAlternativeNameExtension([{ type: "url", value: `spiffe://${trustDomain}` }]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  const pem = `${certificate.toString("pem")}\n`;
  return { certificate: pem, root: pem, privateKey };
}

/** 128 random bits after a byte that keeps the number positive and its length constant (RFC 5280, section 4.1.2.2). */
function newSerial(): string {
  return `01${randomBytes(16).toString("hex")}`;
}

export interface IssuedCertificate {
  /** The certificate, then the signer's intermediates; PEM. */
  readonly chain: string;
  /** Hexadecimal, upper case. */
  readonly serial: string;
  readonly spiffeId: string;
  /** In milliseconds since the Unix epoch. */
  readonly issuedAtMs: number;
  readonly notAfterMs: number;
}

/** Signs certificates of workloads with one authority's key. */
export class Signer {
  /** The pin of the certificate that signs. */
  readonly id: string;
  readonly texts: SignerTexts;
  /** When the first certificate of the chain ends, the root's included, in milliseconds since the Unix epoch. */
  readonly notAfterMs: number;
  readonly #x509: X509Library;
  readonly #key: SigningKey;
  readonly #issuer: InstanceType<X509Library["X509Certificate"]>;
  readonly #intermediates: string;
  readonly #authorityKeyId: string | undefined;

  private constructor(x509: X509Library, texts: SignerTexts, key: SigningKey) {
    const [first = "", ...others] = certificatesIn(texts.certificate);
    this.#x509 = x509;
    this.#key = key;
    this.texts = texts;
    this.id = pinOf(first);
    this.#issuer = new x509.X509Certificate(first);
    const isRoot = pinOf(texts.root) === this.id;
    this.#intermediates = isRoot ? "" : [first, ...others].join("");
    this.#authorityKeyId = this.#issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
    this.notAfterMs = Math.min(
      ...[first, ...others, texts.root].map((pem) => Date.parse(new X509Certificate(pem).validTo)),
    );
  }

  /**
   * Checks that the key belongs to the certificate, that it may sign workloads' certificates, and that the chain leads to the
   * root.
   *
   * @throws {PurserError} PURSER_IDENTITY_SIGNER.
   */
  static async of(x509: X509Library, texts: SignerTexts, nowMs: number): Promise<Signer> {
    const fault = await faultOf(x509, texts, nowMs);
    if (fault !== undefined)
      throw new PurserError("PURSER_IDENTITY_SIGNER", `the authority's certificate cannot be used: ${fault}`);
    return new Signer(x509, texts, await signingKeyOf(texts.privateKey));
  }

  /**
   * Issues a certificate for a workload. It ends with `lifetimeMs`, and with the first certificate of the authority at the
   * latest.
   *
   * @throws {PurserError} PURSER_IDENTITY_SIGNER when the authority's own certificate has ended.
   */
  async issue(
    publicKey: InstanceType<X509Library["PublicKey"]> | webcrypto.CryptoKey,
    spiffeId: string,
    { nowMs, lifetimeMs }: { readonly nowMs: number; readonly lifetimeMs: number },
  ): Promise<IssuedCertificate> {
    const x509 = this.#x509;
    // Times in certificates have no milliseconds.
    const notAfterMs = Math.floor(Math.min(nowMs + lifetimeMs, this.notAfterMs) / 1_000) * 1_000;
    if (notAfterMs <= nowMs)
      throw new PurserError("PURSER_IDENTITY_SIGNER", "the authority's own certificate has ended");
    const serialNumber = newSerial();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber,
      issuer: this.#issuer.subjectName,
      notBefore: new Date(nowMs - BACKDATE_MS),
      notAfter: new Date(notAfterMs),
      publicKey,
      signingKey: this.#key.key,
      signingAlgorithm: this.#key.algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
        // Critical because the subject is empty (RFC 5280, section 4.2.1.6).
        new x509.SubjectAlternativeNameExtension([{ type: "url", value: spiffeId }], true),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        ...(this.#authorityKeyId === undefined
          ? []
          : [new x509.AuthorityKeyIdentifierExtension(this.#authorityKeyId)]),
      ],
    });
    const chain = `${certificate.toString("pem")}\n${this.#intermediates}`;
    return {
      chain,
      serial: serialNumber.replace(/^0+/, "").toUpperCase(),
      spiffeId,
      issuedAtMs: nowMs,
      notAfterMs,
    };
  }
}

async function faultOf(
  x509: X509Library,
  { certificate, root, privateKey }: SignerTexts,
  nowMs: number,
): Promise<string | undefined> {
  const chain = certificatesIn(certificate);
  const [first] = chain;
  if (first === undefined) return "there is no certificate in PEM";
  const roots = certificatesIn(root);
  if (roots.length !== 1) return `there must be one root in PEM, and there are ${roots.length}`;
  try {
    const fault = signerFault(certificateFacts(x509, first), nowMs);
    if (fault !== undefined) return fault;
    const key = await publicKeyOf(privateKey);
    const spki = await webcrypto.subtle.exportKey("spki", key);
    if (!Buffer.from(spki).equals(Buffer.from(new x509.X509Certificate(first).publicKey.rawData)))
      return "the key is not the certificate's";
    return chainFault([...chain, roots[0] as string]);
  } catch (error) {
    if (error instanceof PurserError) throw error;
    return messageOf(error);
  }
}

function chainFault(chain: readonly string[]): string | undefined {
  const certificates = chain.map((pem) => new X509Certificate(pem));
  const broken = certificates.findIndex((each, index) => {
    const issuer = certificates[index + 1] ?? each;
    return !each.checkIssued(issuer) || !each.verify(issuer.publicKey);
  });
  return broken < 0
    ? undefined
    : `certificate ${broken + 1} of the chain is not signed by the next one, or by itself if it is the root`;
}
