// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Fetches servers that tests send telemetry to and that Debian does not have, into ~/.cache/purser:
//   node scripts/fetch-receivers.mjs [victoria-logs] [zipkin]
// Needs go of the version in VictoriaLogs' go.mod, and maven with a Java runtime. What is there already is not fetched again; test/support/receivers.ts finds it.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

const CACHE = join(homedir(), ".cache", "purser");

/** Time for one of them, in milliseconds: VictoriaLogs takes three minutes on two cores. */
const TIMEOUT_MS = 900_000;

const MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";

const RECEIVERS = {
  "victoria-logs": {
    file: "victoria-logs",
    command: () => [
      "go",
      "install",
      "-ldflags=-s -w",
      "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v1.52.2",
    ],
    env: (folder) => ({ GOBIN: folder, CGO_ENABLED: "0" }),
  },
  zipkin: {
    file: "zipkin-server-3.5.1-exec.jar",
    command: (folder) => [
      "mvn",
      "--batch-mode",
      "--quiet",
      MAVEN_COPY,
      "-Dartifact=io.zipkin:zipkin-server:3.5.1:jar:exec",
      `-DoutputDirectory=${folder}`,
    ],
    env: () => ({}),
  },
};

let failed = 0;
const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : Object.keys(RECEIVERS)) if (!fetched(name)) failed++;
process.exitCode = failed > 0 ? 1 : 0;

/** Fetches into a folder of its own, then renames: a cut download never looks like a server. */
function fetched(name) {
  const receiver = RECEIVERS[name];
  if (receiver === undefined)
    return say(`${name}: unknown; choose from ${Object.keys(RECEIVERS).join(", ")}`, false);
  const target = join(CACHE, name);
  if (existsSync(join(target, receiver.file))) return say(`${name}: in ${target}`, true);
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, `${name}-`));
  try {
    const [program, ...args] = receiver.command(folder);
    const path = [process.env.PATH, "/usr/local/go/bin"].join(delimiter);
    const { status, error } = spawnSync(program, args, {
      cwd: folder,
      env: { ...process.env, PATH: path, ...receiver.env(folder) },
      stdio: ["ignore", "inherit", "inherit"],
      timeout: TIMEOUT_MS,
    });
    const isThere = status === 0 && existsSync(join(folder, receiver.file));
    if (!isThere)
      return say(`${name}: ${program} failed: ${error?.message ?? `exit status ${status}`}`, false);
    rmSync(target, { recursive: true, force: true });
    renameSync(folder, target);
    return say(`${name}: fetched into ${target}`, true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function say(text, outcome) {
  process.stdout.write(`${text}\n`);
  return outcome;
}
