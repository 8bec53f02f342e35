// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findProgram, isExecutable } from "../../bench/machine/find-program.ts";
import { skipOrFail } from "./services.ts";

/** A Go program with its sources in this repository. */
export interface GoSources {
  /** For messages, such as `OpenTelemetry Collector`. */
  readonly name: string;
  /** The program's name in the cache folder. */
  readonly program: string;
  /** The folder of the sources, and the names of all files in it that the program is made of. */
  readonly folder: string;
  readonly files: readonly string[];
  readonly buildDeadlineMs: number;
}

/**
 * The path of the program; built when no build of the same sources is in ~/.cache/purser. Call it from a `before` hook with
 * mocha's `this`: skips the suite when the program cannot be built, and fails instead on a build server.
 */
export async function goSourcesProgram(context: Mocha.Context, sources: GoSources): Promise<string> {
  try {
    return await build(sources);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return skipOrFail(context, `no ${sources.name}: ${text.slice(0, 500)}`);
  }
}

async function build({ program: name, folder, files, buildDeadlineMs }: GoSources): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(join(folder, file)));
  const cache = join(homedir(), ".cache", "purser");
  const program = join(cache, `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (isExecutable(program)) return program;
  const go = findProgram("go") ?? "/usr/local/go/bin/go";
  if (!isExecutable(go)) throw new Error("go is neither on PATH nor in /usr/local/go/bin");
  mkdirSync(cache, { recursive: true });
  // Renamed when it is complete, so that several test runs may build at the same time.
  const unfinished = `${program}.${process.pid}`;
  try {
    await promisify(execFile)(go, ["build", "-trimpath", "-ldflags", "-s -w", "-o", unfinished, "."], {
      cwd: folder,
      timeout: buildDeadlineMs,
      env: { ...process.env, CGO_ENABLED: "0" },
    });
    renameSync(unfinished, program);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return program;
}
