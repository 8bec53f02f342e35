// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import { Identity } from "../../identity/identity.ts";
import type { SignerTexts } from "../../identity/authority/signer.ts";
import { startIdentityHttpServers } from "../../identity/servers/http-servers.ts";
import { FolderStore } from "../../identity/state/folder-store.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import type { Runtime } from "../../kernel/ports.ts";
import { runtimeOfPart } from "./runtime.ts";
import type { RunningPart } from "./stopping.ts";

export interface IdentityFlags {
  /** The folder of the state. */
  readonly state: string;
  readonly trustDomain: string;
  /** In milliseconds. */
  readonly certificateLifetime: number;
  readonly caCert?: string;
  readonly caKey?: string;
  readonly caRoot?: string;
  readonly host: string;
  readonly identityPort: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly allowedHosts: readonly string[];
}

export interface IdentityPart extends RunningPart {
  readonly identity: Identity;
  /** For proxies. */
  readonly url: string;
  readonly operatorsUrl: string;
}

/** @throws {PurserError} when a port, the folder or the authority's files cannot be used. */
export async function startIdentity(flags: IdentityFlags, runtime: Runtime): Promise<IdentityPart> {
  const { state, trustDomain, certificateLifetime: lifetimeMs, host, adminHost, allowedHosts } = flags;
  const ours = runtimeOfPart(runtime, "identity");
  const readSigner = signerReader(flags);
  const store = await FolderStore.open(state);
  const identity = await Identity.start({
    ...ours,
    trustDomain,
    lifetimeMs,
    store,
    ...(readSigner === undefined ? {} : { readSigner }),
  });
  try {
    const servers = await startIdentityHttpServers({
      ...ours,
      identity,
      operatorKey: await store.operatorKey(),
      workloads: { host, port: flags.identityPort, allowedHosts },
      operators: { host: adminHost, port: flags.adminPort, allowedHosts },
    });
    const { workloads, operators } = servers;
    return {
      name: "identity",
      identity,
      url: `https://${workloads.host}:${workloads.port}`,
      operatorsUrl: `http://${operators.host}:${operators.port}`,
      async close(deadlineMs) {
        await servers.close(deadlineMs / 2);
        await identity.close();
      },
    };
  } catch (error) {
    await identity.close();
    throw error;
  }
}

function signerReader({ caCert, caKey, caRoot }: IdentityFlags): (() => Promise<SignerTexts>) | undefined {
  if (caCert === undefined && caKey === undefined && caRoot === undefined) return undefined;
  if (caCert === undefined || caKey === undefined)
    throw new PurserError(
      "PURSER_CLI_USAGE",
      "--ca-cert, --ca-key and --ca-root belong together: the first two are needed",
    );
  return async () => {
    const [certificate, privateKey, root] = await Promise.all(
      [caCert, caKey, caRoot ?? caCert].map(readText),
    );
    return { certificate, privateKey, root } as SignerTexts;
  };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new PurserError("PURSER_CLI_USAGE", `${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
