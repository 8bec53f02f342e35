// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startServerProcess } from "../../bench/machine/server-process.ts";
import { goSourcesProgram } from "./go-sources.ts";

/** The first build downloads and compiles six modules, in half a minute on two cores. */
export const GRPC_PEER_BUILD_MS = 4 * 60_000;

const START_DEADLINE_MS = 10_000;
const CALLS_DEADLINE_MS = 30_000;

/** The outcome of a call, as `test/support/grpc-peer/main.go` prints it. */
export interface GrpcOutcome {
  readonly call: string;
  /** As grpc-go names it, such as `DeadlineExceeded`. */
  readonly code: string;
  readonly message?: string;
  readonly value?: string;
  /** `DOMAIN/REASON` of each google.rpc.ErrorInfo. */
  readonly details?: readonly string[];
}

/** A running server of grpc-go. */
export interface GrpcServer {
  readonly port: number;
  /** A line for each call whose client left, in order. */
  readonly left: () => readonly string[];
  stop(): Promise<void>;
}

/** The path of the program, built once. Call it from a `before` hook with mocha's `this`. */
export function grpcPeerProgram(context: Mocha.Context): Promise<string> {
  return goSourcesProgram(context, {
    name: "peer of grpc-go",
    program: "grpc-peer",
    folder: fileURLToPath(new URL("grpc-peer/", import.meta.url)),
    files: ["go.mod", "go.sum", "main.go"],
    buildDeadlineMs: GRPC_PEER_BUILD_MS,
  });
}

/** Starts the server on a free port. */
export async function startGrpcServer(program: string): Promise<GrpcServer> {
  let output = "";
  const server = await startServerProcess({
    name: "grpc-peer",
    command: [program, "serve"],
    isReady: () => Promise.resolve(output.includes("\n")),
    startDeadlineMs: START_DEADLINE_MS,
    onOutput: (chunk) => (output += chunk),
  });
  return {
    port: Number(output.split("\n")[0]),
    left: () => output.split("\n").slice(1, -1),
    stop: () => server.kill(),
  };
}

/** Makes all calls of the client of grpc-go, through the proxy at the port. */
export async function callAsGrpcGo(program: string, port: number): Promise<readonly GrpcOutcome[]> {
  const { stdout } = await promisify(execFile)(program, ["call", `127.0.0.1:${port}`], {
    timeout: CALLS_DEADLINE_MS,
  });
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as GrpcOutcome);
}
