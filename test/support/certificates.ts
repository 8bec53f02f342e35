// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requireService } from "./services.ts";

/** A certificate authority of a test, in a folder of its own. */
export interface Authority {
  /** Its certificate, as PEM text and as a file. */
  readonly certificate: string;
  readonly certificateFile: string;
  /** A PEM file with a new private key and its certificate, for 127.0.0.1 and localhost. */
  readonly keyFile: string;
  /** Removes the folder. */
  remove(): void;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Call with mocha's `this`: skips the test or the suite when openssl is not installed. */
export function createAuthority(context: Mocha.Context): Authority {
  const openssl = requireService(context, "openssl");
  const folder = mkdtempSync(join(tmpdir(), "purser-authority-"));
  const [caKey, ca, key, certificate, keyFile] = ["ca-key", "ca", "key", "certificate", "both"].map((name) =>
    join(folder, `${name}.pem`),
  ) as [string, string, string, string, string];
  const request = (...more: readonly string[]): void =>
    void execFileSync(openssl, ["req", "-x509", ...NEW_KEY, "-days", "2", ...more], { stdio: "pipe" });
  request("-subj", "/CN=authority of a test", "-keyout", caKey, "-out", ca);
  const names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  const leaf = ["-addext", "basicConstraints=critical,CA:FALSE", "-CA", ca, "-CAkey", caKey];
  request("-subj", "/CN=localhost", ...names, ...leaf, "-keyout", key, "-out", certificate);
  writeFileSync(keyFile, readFileSync(key, "utf8") + readFileSync(certificate, "utf8"));
  return {
    certificate: readFileSync(ca, "utf8"),
    certificateFile: ca,
    keyFile,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
