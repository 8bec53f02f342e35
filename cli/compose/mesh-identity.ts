// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createLocalIdentityService } from "../../identity/local-service.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { Runtime } from "../../kernel/ports.ts";
import { type IdentityPart, startIdentity } from "./part-identity.ts";
import type { LocalIdentity } from "./part-workload.ts";

/** Flags of the identity service of a mesh in one process. */
export interface MeshIdentityFlags {
  readonly host: string;
  readonly adminHost: string;
  readonly allowedHosts: readonly string[];
  readonly workers: number;
  readonly identityState?: string;
  readonly identityPort: number;
  readonly identityAdminPort: number;
}

export interface MeshIdentity {
  readonly part: IdentityPart;
  /** The source of the certificate of a service's proxy. */
  of(service: string): LocalIdentity;
}

const LIFETIME_MS = 3_600_000;

/**
 * The identity service of a mesh in one process; undefined when none is asked for. The proxies of the process join without
 * tokens in files.
 *
 * @param trustDomain The one of the MeshConfig, as of the start.
 * @throws {PurserError} As startIdentity.
 */
export async function startMeshIdentity(
  flags: MeshIdentityFlags,
  trustDomain: string,
  runtime: Runtime,
): Promise<MeshIdentity | undefined> {
  const { identityState: state, identityPort, identityAdminPort: adminPort, workers } = flags;
  if (state === undefined) return undefined;
  // The workers of a pool are processes of their own.
  if (workers > 1) throw new PurserError("PURSER_CLI_USAGE", "--identity-state needs --workers 1");
  const { host, adminHost, allowedHosts } = flags;
  const part = await startIdentity(
    {
      state,
      trustDomain,
      certificateLifetime: LIFETIME_MS,
      host,
      identityPort,
      adminHost,
      adminPort,
      allowedHosts,
    },
    runtime,
  );
  const service = createLocalIdentityService(part.identity);
  return {
    part,
    of: (name) => ({
      service,
      readToken: async () =>
        (await part.identity.operations.createToken({ serviceAccount: accountOf(name) })).token,
    }),
  };
}

/** The service account of a service's proxy: its name in its namespace, such as shop/cart of cart.shop.svc.cluster.local. */
function accountOf(service: string): string {
  const [name = "", namespace = "default"] = service.split(".");
  return `${namespace}/${name}`;
}
