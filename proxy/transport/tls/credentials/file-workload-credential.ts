// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { X509Certificate } from "node:crypto";
import { join } from "node:path";

import type { Files } from "../../../../core/hooks/extension.ts";
import { parsePeerIdentity } from "../../../../core/identity/peer-identity.ts";
import type { Logger, Scheduler } from "../../../../kernel/ports.ts";
import { subjectAltNamesOf } from "../subject-alt-names.ts";
import { Credential } from "./credential.ts";
import type { Material } from "./material.ts";
import type { WorkloadCredential } from "./workload-credential.ts";

/** Names of the files, by Istio's agent and cert-manager's istio-csr. */
const CERTIFICATE = "cert-chain.pem";
const PRIVATE_KEY = "key.pem";
const AUTHORITIES = "root-cert.pem";

export interface FileWorkloadCredentialServices {
  readonly files: Files;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
}

/** Longest time to wait for the files before a proxy starts without them. */
const SETTLE_MS = 5_000;

/**
 * A workload's certificate, key and trust bundle in the files of a folder, which another program renews. Files that cannot
 * be read, or do not belong together, leave the last good ones in force. Files tell nothing of revocations.
 */
export class FileWorkloadCredential implements WorkloadCredential {
  readonly #credential: Credential;
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  readonly #watchers = new Set<() => void>();
  #spiffeId: string | undefined;
  #spiffeIdOf: Material | undefined;

  /** @param folder Path of the folder. */
  constructor(folder: string, services: FileWorkloadCredentialServices) {
    this.#scheduler = services.scheduler;
    this.#logger = services.logger;
    this.#credential = new Credential(
      {
        certificate: join(folder, CERTIFICATE),
        privateKey: join(folder, PRIVATE_KEY),
        authorities: join(folder, AUTHORITIES),
      },
      { ...services, onRead: (_credential, isGood) => this.#onRead(isGood) },
    );
  }

  get name(): string {
    return this.#credential.name;
  }

  get version(): number {
    return this.#credential.version;
  }

  get material(): Material | undefined {
    return this.#credential.material;
  }

  get fault(): string | undefined {
    const { fault, material } = this.#credential;
    if (fault !== undefined || material === undefined) return fault;
    return this.spiffeId === undefined
      ? `${this.name} has not exactly one URI that is a SPIFFE id: peers refuse the certificate`
      : undefined;
  }

  get spiffeId(): string | undefined {
    const { material } = this;
    if (material === this.#spiffeIdOf) return this.#spiffeId;
    this.#spiffeIdOf = material;
    const { certificate } = material ?? {};
    const uris = certificate === undefined ? [] : subjectAltNamesOf(new X509Certificate(certificate)).uris;
    const [uri = ""] = uris;
    this.#spiffeId = uris.length === 1 && parsePeerIdentity(uri) !== undefined ? uri : undefined;
    return this.#spiffeId;
  }

  isRevoked(): boolean {
    return false;
  }

  watch(onChange: () => void): () => void {
    const watcher = (): void => onChange();
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Resolves when every file was read, or could not be, or was not within 5 s. */
  async settled(): Promise<void> {
    const settled = this.#credential.settled();
    if (settled === undefined) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#scheduler.after(SETTLE_MS, resolve);
      void settled.then(() => {
        cancel();
        resolve();
      });
    });
  }

  close(): void {
    this.#watchers.clear();
    this.#credential.close();
  }

  #onRead(isGood: boolean): void {
    if (!isGood) return;
    if (this.spiffeId === undefined)
      this.#logger.warn("the workload's certificate is none of a mesh", {
        credential: this.name,
        reason: this.fault,
      });
    for (const watcher of this.#watchers) watcher();
  }
}
