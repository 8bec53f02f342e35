// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../bench/machine/free-port.ts";
import type { GoCommand } from "../../bench/machine/go-command.ts";
import { goProgram } from "./go-program.ts";

const OPA: GoCommand = { name: "opa", module: "github.com/open-policy-agent/opa", version: "v1.10.1" };

const START_DEADLINE_MS = 20_000;

/** An OPA process for a test, on loopback, with one Rego module. */
export interface OpaServer {
  readonly url: string;
  /** Kills the server at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts the server again on the same port; resolves when it answers. */
  restart(): Promise<void>;
  /** Suspends the server: connections stay open and get no answer. */
  pause(): void;
  resume(): void;
  /** Ends the server for good and removes its folder. */
  stop(): Promise<void>;
}

/** Call from a `before` hook with mocha's `this`; see `goProgram` for a machine without OPA. */
export async function startOpa(
  context: Mocha.Context,
  rego: string,
  extraArguments: readonly string[] = [],
): Promise<OpaServer> {
  const program = await goProgram(context, OPA);
  const folder = mkdtempSync(join(tmpdir(), "purser-opa-"));
  const policy = join(folder, "policy.rego");
  writeFileSync(policy, rego);
  const address = `127.0.0.1:${await freePort()}`;
  const args = ["run", "--server", "--skip-version-check", `--addr=${address}`, ...extraArguments, policy];
  let child = await launch(program, args, address);
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  return {
    url: `http://${address}`,
    kill: end,
    async restart() {
      await end();
      child = await launch(program, args, address);
    },
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    async stop() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function launch(program: string, args: readonly string[], address: string) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  // A test process that dies must not leave its servers running.
  const onExit = () => void child.kill("SIGKILL");
  process.once("exit", onExit);
  child.once("exit", () => process.removeListener("exit", onExit));
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)));
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!(await isHealthy(address))) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`opa did not start on ${address}:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return child;
}

async function isHealthy(address: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}/health`, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
