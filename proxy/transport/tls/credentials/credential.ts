// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Files } from "../../../../core/hooks/extension.ts";
import type { Cancel, Logger, Scheduler } from "../../../../kernel/ports.ts";
import { messageOf } from "../../../../kernel/errors.ts";
import { checkedMaterial, type Material, type MaterialTexts } from "./material.ts";

/** Paths of the files, as they are read. */
export type CredentialPaths = { readonly [Part in keyof MaterialTexts]: string | undefined };

/** A new certificate and its key are written one after the other: until then they do not belong together. */
const FAULT_LOG_DELAY_MS = 1_000;

type Texts = { -readonly [Part in keyof MaterialTexts]: string | undefined };

export interface CredentialServices {
  readonly files: Files;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Called after each new state of the files, good or not. */
  onRead(credential: Credential, isGood: boolean): void;
}

/**
 * A certificate, its key and the authorities for its peers, watched in their files. Files that cannot be read, or do not
 * belong together, leave the last good ones in force.
 */
export class Credential {
  /** For logs and metrics: the path of the certificate, or of the authorities where there is none. */
  readonly name: string;
  /** Grows with each new `material`. */
  version = 0;
  /** The last good material; undefined before the first. */
  material: Material | undefined;
  /** The reason for which the files as they are now cannot be used. */
  fault: string | undefined;
  readonly #services: CredentialServices;
  readonly #texts: Texts = {
    certificate: undefined,
    privateKey: undefined,
    authorities: undefined,
  };
  readonly #errors = new Map<string, string>();
  /** Paths of which nothing is known yet. */
  readonly #unread = new Set<string>();
  readonly #unwatch: (() => void)[] = [];
  readonly #onSettled: (() => void)[] = [];
  #cancelLog: Cancel | undefined;
  #loggedFault: string | undefined;

  constructor(paths: CredentialPaths, services: CredentialServices) {
    this.#services = services;
    this.name = paths.certificate ?? paths.authorities ?? "system";
    const parts = (Object.keys(this.#texts) as (keyof Texts)[]).filter((part) => paths[part] !== undefined);
    for (const part of parts) this.#unread.add(paths[part] as string);
    if (parts.length === 0) this.#evaluate();
    for (const part of parts) this.#watch(part, paths[part] as string);
  }

  /** Resolves when every file was read, or could not be; undefined when that is so already. */
  settled(): Promise<void> | undefined {
    if (this.#unread.size === 0) return undefined;
    return new Promise((resolve) => this.#onSettled.push(resolve));
  }

  close(): void {
    this.#cancelLog?.();
    for (const unwatch of this.#unwatch) unwatch();
    this.#unread.clear();
    this.#settle();
  }

  #watch(part: keyof Texts, path: string): void {
    const read = (text: string | undefined, error: string | undefined): void => {
      this.#texts[part] = text;
      if (error === undefined) this.#errors.delete(path);
      else this.#errors.set(path, error);
      this.#unread.delete(path);
      if (this.#unread.size > 0) return;
      this.#evaluate();
      this.#settle();
    };
    this.#unwatch.push(
      this.#services.files.watch(
        path,
        (text) => read(text, undefined),
        (error) => read(undefined, error.message),
      ),
    );
  }

  #evaluate(): void {
    const [unreadable] = this.#errors.values();
    let fault = unreadable;
    try {
      if (fault === undefined) {
        this.material = checkedMaterial({ ...this.#texts });
        this.version++;
      }
    } catch (error) {
      fault = messageOf(error);
    }
    this.fault = fault;
    this.#services.onRead(this, fault === undefined);
    this.#logLater();
  }

  #logLater(): void {
    this.#cancelLog?.();
    this.#cancelLog = this.#services.scheduler.after(FAULT_LOG_DELAY_MS, () => {
      this.#cancelLog = undefined;
      const { fault, name } = this;
      if (fault === this.#loggedFault) return;
      this.#loggedFault = fault;
      const { logger } = this.#services;
      const inForce = this.material === undefined ? "nothing" : "the last good files";
      if (fault === undefined) logger.info("a certificate's files are good again", { credential: name });
      else logger.warn("a certificate's files cannot be used", { credential: name, reason: fault, inForce });
    });
  }

  #settle(): void {
    for (const resolve of this.#onSettled.splice(0)) resolve();
  }
}
