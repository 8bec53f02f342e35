// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { readText, ROOT } from "../support/documentation.ts";
import { requireRegistry } from "../support/npm-folder.ts";
import { type Shell, startShell } from "../support/shell.ts";
import { type Desk, followSteps } from "./follow-page.ts";
import { requireFreePorts } from "./free-ports.ts";
import { type PageStep, stepsOf } from "./page-steps.ts";

// A newcomer has a package of Purser and a machine with Node.js, npm, bash, curl and the usual small tools. Where PURSER_TEST_COMPOSE=1
// says that there is a container engine, the machine is a fresh container; otherwise it is a PATH of these programs alone, an empty
// home folder and an empty environment.

/** Longest time from the first document to a request that is allowed, in milliseconds. */
const FIRST_POLICY_MS = 60_000;

const IMAGE = "node:24-bookworm-slim";

const TOOLS =
  "bash sh env cat cp mv rm ln ls mkdir mktemp touch chmod head tail wc sort uniq cut tr seq sleep date dirname basename readlink realpath uname id tee true false kill sed grep curl npm npx".split(
    " ",
  );

/** The page with the newcomer's first test of a policy, and the section that has it. */
const GUIDE = "docs/guides/policies.md";
const GUIDE_SECTION = "A first policy";

/** Whether a container of the image has what pages use. */
function hasContainer(): boolean {
  if (process.env["PURSER_TEST_COMPOSE"] !== "1") return false;
  return spawnSync("docker", ["run", "--rm", IMAGE, "bash", "-c", "command -v curl"]).status === 0;
}

/** Environment of the newcomer: nothing of this process but how npm reaches its registry. */
function environmentOf(folder: string, path: string): Record<string, string> {
  const ca = process.env["NODE_EXTRA_CA_CERTS"];
  return {
    HOME: join(folder, "home"),
    NPM_CONFIG_PREFIX: join(folder, "home/npm"),
    PATH: `${join(folder, "home/npm/bin")}:${path}`,
    ...(ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca }),
  };
}

function containerShell(folder: string): Shell {
  const environment = environmentOf(folder, "/usr/local/bin:/usr/bin:/bin");
  // The image knows the authorities of its own network.
  delete environment["NODE_EXTRA_CA_CERTS"];
  const settings = Object.entries(environment).map(([name, value]) => `--env=${name}=${value}`);
  const user = `--user=${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const work = join(folder, "work");
  const mount = ["--volume", `${folder}:${folder}`, "--workdir", work];
  const run = [
    "docker",
    "run",
    "--rm",
    "--init",
    "--interactive",
    user,
    ...mount,
    ...settings,
    IMAGE,
  ] as const;
  return startShell(work, join(folder, "logs"), process.env, [...run, "bash", "--norc"]);
}

function bareShell(folder: string): Shell {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, "node"));
  for (const tool of TOOLS) {
    const found = execFileSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).trim();
    // A builtin of the shell, such as kill, needs no file.
    if (found.startsWith("/")) symlinkSync(realpathSync(found), join(bin, tool));
  }
  const environment = environmentOf(folder, bin);
  return startShell(join(folder, "work"), join(folder, "logs"), {
    ...environment,
    NPM_CONFIG_USERCONFIG: join(homedir(), ".npmrc"),
  });
}

/** Seconds since a time of `performance.now()`, for people. */
const secondsSince = (startMs: number): string => ((performance.now() - startMs) / 1000).toFixed(1);

describe("the first ten minutes of a newcomer", function () {
  this.timeout(400_000);

  it("have a first policy, a first adapter and a first test, by README.md and the first guide", async function () {
    const readme = stepsOf(readText("README.md"));
    const install = readme.findIndex(({ text }) => text.includes("npm install --global"));
    const allowed = readme.findIndex(({ kind }) => kind === "results");
    assert.ok(install >= 0 && allowed > install, "README.md does not show a first policy");
    await requireFreePorts("README.md", readme);
    const folder = mkdtempSync(join(tmpdir(), "purser-newcomer-"));
    for (const name of ["work", "home"]) mkdirSync(join(folder, name));
    // The build made lib/ already, as the script prepack does in a clean clone.
    execFileSync("npm", ["pack", "--ignore-scripts", "--silent", `--pack-destination=${folder}/work`], {
      cwd: ROOT,
    });
    const inContainer = hasContainer();
    const shell = inContainer ? containerShell(folder) : bareShell(folder);
    try {
      const work = join(folder, "work");
      const desk: Desk = { shell, work, refused: (run) => requireRegistry(this, run) };
      const startMs = performance.now();
      await followSteps("README.md", [installation(readme[install])], desk);
      const installed = secondsSince(startMs);
      const policyMs = performance.now();
      await followSteps("README.md", readme.slice(install + 1, allowed + 1), desk);
      const tookMs = performance.now() - policyMs;
      const decided = secondsSince(policyMs);
      const adapterMs = performance.now();
      await followSteps("README.md", readme.slice(allowed + 1), desk);
      const adapted = secondsSince(adapterMs);
      const testMs = performance.now();
      mkdirSync(join(work, "tests"));
      await shell.run(`cd '${work}/tests'`);
      await followSteps(GUIDE, sectionSteps(GUIDE, GUIDE_SECTION), { ...desk, work: join(work, "tests") });
      console.log(
        `      ${inContainer ? `in a container of ${IMAGE}` : "with an empty home and a PATH of Node.js and small tools, without a container"}: ` +
          `package installed in ${installed} s, first policy denied and allowed in ${decided} s, ` +
          `first adapter in its contract in ${adapted} s, first test red and green in ${secondsSince(testMs)} s`,
      );
      assert.ok(tookMs < FIRST_POLICY_MS, `the first policy took ${decided} s`);
    } finally {
      await shell.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** The step that installs the package, without the line that makes it of a clone. */
function installation(step: PageStep | undefined): PageStep {
  assert.ok(step !== undefined);
  const lines = step.text.split("\n").filter((line) => line.startsWith("npm install --global"));
  return { ...step, text: lines.join("\n"), kind: "commands", exitCode: 0 };
}

/** The steps of a page's section, of which one must fail and one must succeed after it. */
function sectionSteps(path: string, heading: string): readonly PageStep[] {
  const lines = readText(path).split("\n");
  const begin = lines.indexOf(`## ${heading}`);
  const next = lines.findIndex((line, index) => index > begin && line.startsWith("## "));
  assert.ok(begin >= 0 && next > begin, `${path} has no section ${heading}`);
  const steps = stepsOf(readText(path)).filter(({ line }) => line > begin && line <= next);
  const red = steps.findIndex((step) => step.kind === "commands" && step.exitCode === 1);
  assert.ok(
    red >= 0 && steps.slice(red).some(({ text }) => text.includes("3 passed")),
    "no test is red, then green",
  );
  return steps;
}
