// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RequestListener } from "node:http";
import { type MeshFolder, meshFolder, serviceEntry } from "./mesh-folder.ts";
import { type Program, runProgram } from "./program.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

/** `purser run` in a process of its own, in front of an upstream in this process, on free ports. */
export interface MeshProgram {
  readonly program: Program;
  readonly folder: MeshFolder;
  readonly upstream: Upstream;
  /** URLs of the edge and the mixer, such as http://127.0.0.1:34567. */
  readonly edge: string;
  readonly mixer: string;
  readonly admin: string;
  stop(): Promise<void>;
}

/** Starts the mesh. The upstream is the service `shop`: requests to the edge name it in their Host header. */
export async function startMesh(
  documents: string,
  {
    flags = [],
    environment = {},
    listener,
  }: {
    readonly flags?: readonly string[];
    readonly environment?: NodeJS.ProcessEnv;
    /** The upstream's answers; default: a greeting. */
    readonly listener?: RequestListener;
  } = {},
): Promise<MeshProgram> {
  const upstream = await startUpstream(listener);
  const folder = meshFolder({ "mesh.yaml": serviceEntry("shop", upstream.port), "policies.yaml": documents });
  const args = [
    "run",
    "-c",
    folder.path,
    "--edge-port=0",
    "--mixer-port=0",
    "--pilot-port=0",
    "--admin-port=0",
    "--log-level=warn",
    ...flags,
  ];
  const program = runProgram("cli/purser.js", args, environment);
  const [, edge = ""] = await program.until(/edge proxy +(https?:\S+)/);
  const [, admin = ""] = await program.until(/proxy admin +(http:\/\/[^/\s]+)/);
  const [, mixer = ""] = await program.until(/mixer +(http:\/\/[^/\s]+)/);
  await program.until(/Policies/);
  return {
    program,
    folder,
    upstream,
    edge,
    mixer,
    admin,
    async stop() {
      await program.stop("SIGKILL");
      await upstream.close();
      folder.remove();
    },
  };
}
