// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { constants } from "node:crypto";
import { createSecureContext, type TlsOptions } from "node:tls";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import type { Logger, Scheduler } from "../../kernel/ports.ts";
import type { ClientTls } from "../../proxy/control-plane/json-client.ts";
import type { SurfaceTls } from "../../server/http/control-surface.ts";
import { followFiles } from "./follow-files.ts";

/** The files of a process's TLS in the control plane, in PEM. Plain data: a pool sends it to its workers. */
export interface ControlTlsFlags {
  /** The certificate chain: shown to clients of this process's surfaces, and to servers that this process calls. */
  readonly controlTlsCert?: string;
  readonly controlTlsKey?: string;
  /** The authorities that verify the other side: clients of the surfaces, and servers. */
  readonly controlTlsCa?: string;
}

/** The flags about TLS alone. */
export function controlTlsFlags({
  controlTlsCert,
  controlTlsKey,
  controlTlsCa,
}: ControlTlsFlags): ControlTlsFlags {
  return {
    ...(controlTlsCert === undefined ? {} : { controlTlsCert }),
    ...(controlTlsKey === undefined ? {} : { controlTlsKey }),
    ...(controlTlsCa === undefined ? {} : { controlTlsCa }),
  };
}

interface Pem {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

/** The TLS of a process in the control plane, by files that are followed. */
export class ControlTls implements SurfaceTls {
  #pem: Pem = {};
  readonly #listeners = new Set<() => void>();

  /**
   * Undefined without files.
   *
   * @throws {PurserError} PURSER_CLI_USAGE when a file cannot be used, or the certificate has no key.
   */
  static async follow(
    flags: ControlTlsFlags,
    { scheduler, logger }: { readonly scheduler: Scheduler; readonly logger: Logger },
  ): Promise<ControlTls | undefined> {
    const { controlTlsCert: cert, controlTlsKey: key, controlTlsCa: ca } = flags;
    if ((cert === undefined) !== (key === undefined))
      throw new PurserError("PURSER_CLI_USAGE", "--control-tls-cert and --control-tls-key belong together");
    const named = Object.entries({ cert, key, ca }).flatMap(([name, path]) =>
      path === undefined ? [] : [{ name, flag: `--control-tls-${name}`, path }],
    );
    if (named.length === 0) return undefined;
    const tls = new ControlTls();
    const onTexts = (texts: readonly string[]): void =>
      tls.#replace(Object.fromEntries(named.map(({ name }, index) => [name, texts[index]])) as Pem);
    await followFiles({ files: named, what: "control plane's certificates", scheduler, logger, onTexts });
    return tls;
  }

  /** Whether this process has a certificate, without which it serves plain HTTP. */
  get servesTls(): boolean {
    return this.#pem.cert !== undefined;
  }

  get verifiesClients(): boolean {
    return this.servesTls && this.#pem.ca !== undefined;
  }

  get options(): TlsOptions {
    return {
      ...this.#pem,
      minVersion: "TLSv1.2",
      requestCert: this.verifiesClients,
      // Probes have no certificate: each request is decided by its path (server/http/surface-access.ts).
      rejectUnauthorized: false,
      // A resumed session would keep a client verified whose authority was removed.
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
  }

  /** The TLS of calls to other processes, as the files are now. */
  get client(): Omit<ClientTls, "authorities" | "serverFault"> & { readonly authorities?: string } {
    const { cert, key, ca } = this.#pem;
    return {
      ...(ca === undefined ? {} : { authorities: ca }),
      ...(cert === undefined ? {} : { certificate: cert }),
      ...(key === undefined ? {} : { privateKey: key }),
    };
  }

  watch(onChange: () => void): () => void {
    this.#listeners.add(onChange);
    return () => void this.#listeners.delete(onChange);
  }

  #replace(pem: Pem): void {
    try {
      createSecureContext(pem);
    } catch (cause) {
      throw new PurserError(
        "PURSER_CLI_USAGE",
        `the files of --control-tls-cert, --control-tls-key and --control-tls-ca do not fit together: ${messageOf(cause)}`,
        { cause },
      );
    }
    if (pem.ca !== undefined && !pem.ca.includes("-----BEGIN CERTIFICATE-----"))
      throw new PurserError("PURSER_CLI_USAGE", "the file of --control-tls-ca has no certificate in PEM");
    this.#pem = pem;
    for (const listener of this.#listeners) listener();
  }
}
