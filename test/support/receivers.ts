// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../bench/machine/free-port.ts";
import { startServerProcess } from "../../bench/machine/server-process.ts";
import { skipOrFail } from "./services.ts";

/** A server that takes telemetry, in a process of its own, on the loopback address. */
export interface Receiver {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

interface ReceiverProgram {
  readonly name: string;
  readonly program: string;
  /** @param folder A folder of this server alone, which is removed at its end. */
  readonly args: (port: number, folder: string) => readonly string[];
  readonly env?: (port: number, folder: string) => Readonly<Record<string, string>>;
  /** A path that is answered with 200 once the server is ready. */
  readonly readyPath: string;
  readonly startDeadlineMs: number;
}

/** The path of a file that scripts/fetch-receivers.mjs fetched; otherwise skips or fails, see `skipOrFail`. */
export function requireFetched(context: Mocha.Context, name: string, file: string): string {
  const path = join(homedir(), ".cache", "purser", name, file);
  if (existsSync(path)) return path;
  return skipOrFail(context, `${path} does not exist: run node scripts/fetch-receivers.mjs ${name}`);
}

/** Starts a server on a free port; resolves when it is ready. */
export async function startReceiver(receiver: ReceiverProgram): Promise<Receiver> {
  const { name, program, args, env, readyPath, startDeadlineMs } = receiver;
  const folder = mkdtempSync(join(tmpdir(), `purser-${name}-`));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const server = await startServerProcess({
      name,
      command: [program, ...args(port, folder)],
      folder,
      ...(env === undefined ? {} : { env: env(port, folder) }),
      isReady: () => isReady(`${url}${readyPath}`),
      startDeadlineMs,
    });
    return { url, stop: () => server.kill().finally(removeFolder) };
  } catch (error) {
    removeFolder();
    throw error;
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
