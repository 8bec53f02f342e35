// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SurfaceAddress } from "../../server/http/control-surface.ts";
import { BearerTokens, type SurfaceAccess } from "../../server/http/surface-access.ts";
import { VERSION } from "../version.ts";
import { ControlTls, type ControlTlsFlags } from "./control-tls.ts";
import type { ProcessRuntime } from "./runtime.ts";
import { followTokenFile } from "./token-file.ts";

/** Flags about the access to a process's control surfaces. */
export interface ControlFlags extends ControlTlsFlags {
  readonly controlTokenFile?: string;
  readonly openMetrics?: boolean;
}

/** The settings that all control surfaces of a process share. */
export type ControlSettings = Pick<SurfaceAddress, "access" | "process" | "tls">;

/** @throws {PurserError} PURSER_CLI_USAGE when a file cannot be used. */
export async function controlSettings(
  flags: ControlFlags,
  runtime: ProcessRuntime,
): Promise<ControlSettings> {
  const { controlTokenFile: path, openMetrics } = flags;
  const { logLevel } = runtime;
  const tls = await ControlTls.follow(flags, runtime);
  const tokens = path === undefined ? undefined : await followedTokens(path, runtime);
  const access: SurfaceAccess = { tokens, clientCertificates: tls?.verifiesClients, openMetrics };
  return {
    process: { version: VERSION, node: process.versions.node, logLevel },
    access,
    tls: tls?.servesTls === true ? tls : undefined,
  };
}

async function followedTokens(path: string, runtime: ProcessRuntime): Promise<BearerTokens> {
  const tokens = new BearerTokens([]);
  const onTokens = (next: readonly string[]): void => tokens.replace(next);
  await followTokenFile({ ...runtime, path, flag: "--control-token-file", onTokens });
  return tokens;
}

/** The URL of a control surface. */
export function surfaceUrl(
  { host, port }: { readonly host: string; readonly port: number },
  control: ControlSettings | undefined,
): string {
  return `${control?.tls === undefined ? "http" : "https"}://${host}:${port}`;
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
