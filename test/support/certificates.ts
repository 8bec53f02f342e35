// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requireService } from "./services.ts";

/** A certificate with its private key, as PEM text and as PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** One file with the key and the certificate, for servers that take no more than one. */
  readonly keyAndCertFile: string;
}

/** A certificate authority of a test, in a folder of its own. */
export interface Authority {
  /** The authority's certificate, as PEM text and as a PEM file. */
  readonly cert: string;
  readonly certFile: string;
  /**
   * Makes a key with a certificate. A name is used once.
   *
   * @param subjectAltName In OpenSSL's form; default for 127.0.0.1 and localhost.
   * @param days Validity from now on; default 2.
   */
  sign(name: string, subjectAltName?: string, days?: number): Certificate;
  /** Like `sign`, with a certificate that may sign others. */
  signAuthority(name: string, subjectAltName: string): Certificate;
  /** Like `sign`, with a certificate that ended yesterday; `keyAndCertFile` still has one that did not. */
  signExpired(name: string, subjectAltName?: string): Certificate;
  /** Removes the folder. */
  remove(): void;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Call with mocha's `this`: skips the test or the suite when openssl is not installed. */
export function createAuthority(context: Mocha.Context): Authority {
  const openssl = requireService(context, "openssl");
  const folder = mkdtempSync(join(tmpdir(), "purser-authority-"));
  const make = (name: string, more: readonly string[], days = 2): Certificate => {
    const [certFile, keyFile, keyAndCertFile] = ["cert", "key", "both"].map((part) =>
      join(folder, `${name}-${part}.pem`),
    ) as [string, string, string];
    const files = ["-subj", `/CN=${name}`, "-keyout", keyFile, "-out", certFile];
    execFileSync(openssl, ["req", "-x509", ...NEW_KEY, "-days", `${days}`, ...files, ...more], {
      stdio: "pipe",
    });
    const [cert, key] = [readFileSync(certFile, "utf8"), readFileSync(keyFile, "utf8")];
    writeFileSync(keyAndCertFile, key + cert);
    return { cert, key, certFile, keyFile, keyAndCertFile };
  };
  const { cert, certFile, keyFile } = make("authority", []);
  const signer = ["-CA", certFile, "-CAkey", keyFile];
  const ofServer = (names: string, isAuthority = false): readonly string[] =>
    [`basicConstraints=critical,CA:${isAuthority ? "TRUE" : "FALSE"}`, `subjectAltName=${names}`].flatMap(
      (each) => ["-addext", each],
    );
  const sign = (name: string, subjectAltName = "IP:127.0.0.1,DNS:localhost", days = 2): Certificate =>
    make(name, [...signer, ...ofServer(subjectAltName)], days);
  return {
    cert,
    certFile,
    sign,
    signAuthority: (name, subjectAltName) => make(name, [...signer, ...ofServer(subjectAltName, true)]),
    signExpired(name, subjectAltName = "IP:127.0.0.1,DNS:localhost") {
      const now = make(name, ofServer(subjectAltName));
      // Only `openssl x509` takes a time before now, and only for a certificate that signed itself.
      const renew = ["x509", "-in", now.certFile, "-out", now.certFile, "-days", "-1", ...signer];
      execFileSync(openssl, [...renew, "-CAcreateserial"], { stdio: "pipe" });
      return { ...now, cert: readFileSync(now.certFile, "utf8") };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
