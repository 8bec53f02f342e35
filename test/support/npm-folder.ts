// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { ROOT } from "./documentation.ts";

/** Longest time of one command, in milliseconds: npm may download. */
const COMMAND_DEADLINE_MS = 120_000;

/** npm's codes and messages when the registry cannot be reached. */
const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED/;

export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
}

/** A fresh folder outside the repository, in which `purser` is a command, as after `npm link`. */
export interface NpmFolder {
  readonly path: string;
  /** Runs a line of shell in the folder, or in a folder below it. */
  run(command: string, below?: string): Promise<CommandResult>;
  remove(): void;
}

export function npmFolder(): NpmFolder {
  const path = mkdtempSync(join(tmpdir(), "purser-npm-"));
  const bin = join(path, ".bin");
  mkdirSync(bin);
  const program = join(ROOT, "dist/cli/purser.js");
  chmodSync(program, 0o755);
  symlinkSync(program, join(bin, "purser"));
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`, NO_COLOR: "1" };
  return {
    path,
    async run(command, below = "") {
      const child = spawn("sh", ["-c", command], {
        cwd: join(path, below),
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      child.stdout.on("data", (text) => (output += String(text)));
      child.stderr.on("data", (text) => (output += String(text)));
      const timer = setTimeout(() => child.kill("SIGKILL"), COMMAND_DEADLINE_MS);
      const [code] = (await once(child, "close")) as [number | null];
      clearTimeout(timer);
      return { code, output };
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/**
 * Skips the running test after an `npm install` that could not reach the registry; in CI such an install is a failure.
 * Call it with mocha's `this` from a `function`, not from an arrow function.
 */
export function requireRegistry(context: Mocha.Context, { code, output }: CommandResult): void {
  if (code === 0 || process.env["CI"] !== undefined || !OFFLINE.test(output)) return;
  console.warn("      skipped: the npm registry cannot be reached");
  context.skip();
}
