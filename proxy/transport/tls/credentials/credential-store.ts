// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";

import type { Files } from "../../../../core/hooks/extension.ts";
import type { CredentialFiles } from "../../../../core/traffic/resources/tls.ts";
import type { Cancel, Clock, Logger, Scheduler } from "../../../../kernel/ports.ts";
import { RefCounted } from "../../../../kernel/ref-counted.ts";
import { Credential, type CredentialPaths } from "./credential.ts";

export interface CredentialStoreSettings {
  readonly files: Files;
  /** The folder with a folder for each `credentialName`; undefined for none. */
  readonly folder: string | undefined;
  /** The operating system's file of authorities; undefined for the authorities that Node.js brings. */
  readonly systemAuthorities: string | undefined;
  readonly clock: Pick<Clock, "nowMs">;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Called after each new state of a credential's files. */
  onRead(isGood: boolean): void;
}

const DAY_MS = 24 * 3_600_000;

/** A certificate that is renewed by machine is renewed earlier: Let's Encrypt recommends 30 days before the end of 90. */
const WARN_BEFORE_MS = 14 * DAY_MS;

/** Longest time to wait for files before a configuration takes effect without them. */
const SETTLE_MS = 5_000;

/** A credential with the number of its users. */
export interface HeldCredential {
  readonly credential: Credential;
  release(): void;
}

/** The credentials of a proxy, each read once for all its users. */
export class CredentialStore {
  readonly #settings: CredentialStoreSettings;
  readonly #held = new Map<string, { readonly credential: Credential; readonly references: RefCounted }>();
  #cancelDaily: Cancel | undefined;

  readonly systemAuthorities: string | undefined;

  constructor(settings: CredentialStoreSettings) {
    this.#settings = settings;
    this.systemAuthorities = settings.systemAuthorities;
  }

  /** The credential of these files, which must be released. */
  hold(files: CredentialFiles): HeldCredential {
    const key = JSON.stringify(files);
    let held = this.#held.get(key);
    if (held === undefined) {
      const isLost = files.credentialName !== undefined && this.#settings.folder === undefined;
      const credential = new Credential(this.#pathsOf(files), {
        ...this.#settings,
        ...(isLost ? { files: NO_FOLDER } : {}),
        onRead: (read, isGood) => {
          this.#settings.onRead(isGood);
          if (isGood) this.#warnOfExpiry(read);
        },
      });
      const references = new RefCounted(() => {
        this.#held.delete(key);
        credential.close();
        if (this.#held.size === 0) this.#stopDaily();
      });
      held = { credential, references };
      this.#held.set(key, held);
      this.#cancelDaily ??= this.#settings.scheduler.every(DAY_MS, () => {
        for (const { credential: each } of this.#held.values()) this.#warnOfExpiry(each);
      });
    } else {
      held.references.hold();
    }
    const { credential, references } = held;
    return { credential, release: () => references.release() };
  }

  /**
   * Resolves when the files of every credential were read, or could not be, or were not within 5 s; undefined when there is
   * nothing to wait for.
   */
  settled(): Promise<void> | undefined {
    const unsettled = [...this.#held.values()].flatMap(({ credential }) => credential.settled() ?? []);
    if (unsettled.length === 0) return undefined;
    return new Promise<void>((resolve) => {
      const cancel = this.#settings.scheduler.after(SETTLE_MS, resolve);
      void Promise.all(unsettled).then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** The time at which each credential's first certificate ends, in milliseconds since the Unix epoch. */
  expiries(): readonly { readonly name: string; readonly expiresAtMs: number }[] {
    return [...this.#held.values()].flatMap(({ credential: { name, material } }) =>
      material === undefined || material.expiresAtMs === Infinity
        ? []
        : [{ name, expiresAtMs: material.expiresAtMs }],
    );
  }

  /** Stops watching. */
  close(): void {
    this.#stopDaily();
    for (const { credential } of this.#held.values()) credential.close();
  }

  #stopDaily(): void {
    this.#cancelDaily?.();
    this.#cancelDaily = undefined;
  }

  #warnOfExpiry({ name, material }: Credential): void {
    if (material === undefined) return;
    const leftMs = material.expiresAtMs - this.#settings.clock.nowMs();
    if (leftMs > WARN_BEFORE_MS) return;
    const message = leftMs > 0 ? "a certificate ends soon" : "a certificate has ended";
    const notAfter = new Date(material.expiresAtMs).toISOString();
    this.#settings.logger.warn(message, { credential: name, notAfter });
  }

  #pathsOf({
    credentialName,
    certificateFile,
    privateKeyFile,
    authoritiesFile,
  }: CredentialFiles): CredentialPaths {
    const folder = credentialName === undefined ? "" : join(this.#settings.folder ?? "", credentialName);
    const pathOf = (file: string | undefined): string | undefined =>
      file === undefined || folder === "" ? file : join(folder, file);
    return {
      certificate: pathOf(certificateFile),
      privateKey: pathOf(privateKeyFile),
      authorities: pathOf(authoritiesFile),
    };
  }
}

/** Files of a `credentialName`, for a proxy that has no folder of credentials. */
const NO_FOLDER: Files = {
  watch(_path, _listener, onError) {
    onError(new Error("the proxy was started without --credentials, the folder of the credentials"));
    return () => {};
  },
};
