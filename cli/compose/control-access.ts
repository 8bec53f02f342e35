// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { BearerTokens, type SurfaceAccess } from "../../server/http/surface-access.ts";
import type { SurfaceAddress } from "../../server/http/control-surface.ts";
import { VERSION } from "../version.ts";
import type { ProcessRuntime } from "./runtime.ts";
import { followTokenFile } from "./token-file.ts";

/** Flags about the access to a process's control surfaces. */
export interface ControlFlags {
  readonly controlTokenFile?: string;
  readonly openMetrics?: boolean;
}

/** The settings that all control surfaces of a process share. */
export type ControlSettings = Pick<SurfaceAddress, "access" | "process">;

/** @throws {PurserError} PURSER_CLI_USAGE when the file of tokens cannot be used. */
export async function controlSettings(
  flags: ControlFlags,
  runtime: ProcessRuntime,
): Promise<ControlSettings> {
  const { logLevel } = runtime;
  const process = { version: VERSION, node: globalThis.process.versions.node, logLevel };
  return { process, access: await accessOf(flags, runtime) };
}

async function accessOf(flags: ControlFlags, runtime: ProcessRuntime): Promise<SurfaceAccess | undefined> {
  const { controlTokenFile: path, openMetrics } = flags;
  if (path === undefined) return undefined;
  const tokens = new BearerTokens([]);
  await followTokenFile({
    ...runtime,
    path,
    flag: "--control-token-file",
    onTokens: (next) => tokens.replace(next),
  });
  return { tokens, openMetrics };
}

/**
 * The Authorization field of calls to closed surfaces, with the first token of the file.
 *
 * @throws {PurserError} PURSER_CLI_USAGE when the file cannot be used.
 */
export async function clientAuthorization(
  path: string | undefined,
  flag: string,
  runtime: Pick<ProcessRuntime, "scheduler" | "logger">,
): Promise<(() => string) | undefined> {
  if (path === undefined) return undefined;
  let field = "";
  await followTokenFile({ ...runtime, path, flag, onTokens: ([first]) => (field = `Bearer ${first}`) });
  return () => field;
}
