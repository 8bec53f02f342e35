// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** A certificate with its key, as PEM files. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * Makes a self-signed certificate for 127.0.0.1 with a key on P-256, the same for all contenders.
 *
 * @throws Error when openssl is not installed or fails.
 */
export function makeCertificate(folder: string): Certificate {
  const certFile = join(folder, "tls.crt");
  const keyFile = join(folder, "tls.key");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyFile];
  const name = ["-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...key, ...name, "-days", "2", "-out", certFile], {
    stdio: "pipe",
  });
  return { certFile, keyFile };
}
