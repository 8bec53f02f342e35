// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "../../bench/machine/find-program.ts";
import { skipOrFail } from "./services.ts";

const VERSION = "4.32.5";
const INSTALL_DEADLINE_MS = 180_000;
/** Of one run against one surface. */
const RUN_DEADLINE_MS = 60_000;

const FOLDER = join(homedir(), ".cache", "purser", `schemathesis-${VERSION}`);
const PROGRAM = join(FOLDER, "bin", "schemathesis");

/** Written last, so that an installation that was stopped is begun anew. */
const COMPLETE = join(FOLDER, "complete");

const run = promisify(execFile);

/**
 * The path of Schemathesis, which makes requests of an OpenAPI document and compares the answers with it. It is installed from PyPI
 * once and kept in ~/.cache/purser. When it cannot be installed, skips the running suite; with CI=true or REQUIRE_SERVICES=1 it fails
 * instead. Call it with mocha's `this` from a `before` hook.
 */
export async function schemathesis(context: Mocha.Context): Promise<string> {
  if (existsSync(COMPLETE)) return PROGRAM;
  context.timeout(INSTALL_DEADLINE_MS + 30_000);
  const python = findProgram("python3");
  if (python === undefined) return skipOrFail(context, "python3 is not on PATH");
  console.warn(`      installing schemathesis ${VERSION}, once: half a minute`);
  try {
    await install(python);
  } catch (error) {
    return skipOrFail(context, `schemathesis ${VERSION} cannot be installed: ${(error as Error).message}`);
  }
  return PROGRAM;
}

/** A virtual environment cannot be moved to its place when it is complete. */
async function install(python: string): Promise<void> {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(dirname(FOLDER), { recursive: true });
  const timeout = INSTALL_DEADLINE_MS;
  await run(python, ["-m", "venv", FOLDER], { timeout });
  const pip = join(FOLDER, "bin", "pip");
  await run(pip, ["install", "--quiet", "--disable-pip-version-check", `schemathesis==${VERSION}`], {
    timeout,
  });
  writeFileSync(COMPLETE, "");
}

export interface SchemathesisRun {
  /** The OpenAPI document. */
  readonly file: string;
  readonly url: string;
  /** Header fields of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  readonly examples: number;
  /** A folder for the configuration. */
  readonly folder: string;
}

/** Long polls are answered at once, so that a run is bounded. */
const CONFIGURATION = '[parameters]\n"query.waitMs" = 0\n';

/**
 * Makes requests of every operation. Rejects with the report when an answer is a 5xx, or not of the declared form. @returns The number of requests, which is
 * not 0.
 */
export async function runSchemathesis(program: string, options: SchemathesisRun): Promise<number> {
  const { file, url, headers = {}, only = [], except = [], examples, folder } = options;
  const configuration = join(folder, "schemathesis.toml");
  writeFileSync(configuration, CONFIGURATION);
  const args = [
    "--config-file",
    configuration,
    "run",
    file,
    "--url",
    url,
    ...Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
    "--checks",
    CHECKS.join(),
    "--phases",
    "examples,coverage,fuzzing",
    "--max-examples",
    String(examples),
    "--seed",
    "1",
    "--request-timeout",
    "5",
    "--no-color",
    "--suppress-health-check",
    "all",
    ...only.flatMap((id) => ["--include-operation-id", id]),
    ...except.flatMap((id) => ["--exclude-operation-id", id]),
  ];
  try {
    const { stdout } = await run(program, args, {
      cwd: folder,
      timeout: RUN_DEADLINE_MS,
      maxBuffer: 1 << 26,
    });
    return countOf(stdout);
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`schemathesis:\n${stdout.slice(-20_000)}\n${stderr.slice(-5_000)}`);
  }
}

function countOf(report: string): number {
  const [, generated, passed] = /(\d+) generated, (\d+) passed/.exec(report) ?? [];
  if (generated === undefined || generated === "0" || generated !== passed)
    throw new Error(`not every request passed:\n${report.slice(-5_000)}`);
  return Number(passed);
}

const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_schema_conformance",
];
