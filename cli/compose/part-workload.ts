// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import type { IdentityService } from "../../api/identity-service.ts";
import type { Files } from "../../core/hooks/extension.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import type { Runtime } from "../../kernel/ports.ts";
import { createHttpIdentityService } from "../../proxy/identity/http-identity-service.ts";
import { IdentityAgent } from "../../proxy/identity/identity-agent.ts";
import { FileWorkloadCredential } from "../../proxy/transport/tls/credentials/file-workload-credential.ts";
import type { WorkloadCredential } from "../../proxy/transport/tls/credentials/workload-credential.ts";

/** The source of a workload's own certificate; without one there is none. Plain data, apart from `service`. */
export interface WorkloadSettings {
  /** The folder of the workload's own certificate. */
  readonly workloadCerts?: string | undefined;
  /** URL of the identity service, and the file with the join token. */
  readonly identity?: { readonly url: string; readonly joinTokenFile: string } | undefined;
  /** The identity service in this process. */
  readonly localIdentity?: LocalIdentity | undefined;
}

export interface LocalIdentity {
  readonly service: IdentityService;
  readToken(): Promise<string>;
}

/** The workload's own certificate, while it is kept up to date. */
export interface RunningWorkload {
  readonly credential: WorkloadCredential | undefined;
  close(): void;
}

/** Longest wait for the first certificate before the proxy starts without it, and goes on trying. */
const FIRST_CERTIFICATE_MS = 10_000;

/** @throws {PurserError} PURSER_CLI_USAGE when two sources are given. */
export async function startWorkload(
  { workloadCerts, identity, localIdentity }: WorkloadSettings,
  runtime: Runtime & { readonly files: Files },
): Promise<RunningWorkload> {
  const source =
    localIdentity ??
    (identity && {
      service: createHttpIdentityService({ ...runtime, url: identity.url }),
      readToken: () => readToken(identity.joinTokenFile),
    });
  if (source !== undefined && workloadCerts !== undefined)
    throw new PurserError("PURSER_CLI_USAGE", "--workload-certs and an identity service exclude each other");
  if (source !== undefined) {
    const agent = new IdentityAgent({ ...runtime, ...source });
    await agent.start(FIRST_CERTIFICATE_MS);
    return { credential: agent.credential, close: () => agent.close() };
  }
  if (workloadCerts === undefined) return { credential: undefined, close: () => {} };
  const credential = new FileWorkloadCredential(workloadCerts, runtime);
  // The first handshakes need the certificate.
  await credential.settled();
  return { credential, close: () => credential.close() };
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (cause) {
    const message = `--join-token-file ${file} cannot be read: ${messageOf(cause)}`;
    throw new PurserError("PURSER_IDENTITY_TOKEN", message, { cause });
  }
}
