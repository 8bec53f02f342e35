// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePort } from "../../bench/machine/free-port.ts";
import { eventually } from "../support/eventually.ts";
import { readText, ROOT } from "../support/documentation.ts";
import { type PageStep, stepsOf } from "../support/page-steps.ts";
import { type Shell, startShell } from "../support/shell.ts";

const PAGE = "docs/guides/security.md";
const HEADING = "From nothing to STRICT";

/** Time in which a result of the page must show: a change of mutual TLS takes some three seconds. */
const RESULT = { deadlineMs: 15_000, everyMs: 250 };

/** The section with free ports in the place of its own, which its first commands assign. */
async function withFreePorts(section: string): Promise<string> {
  const [ports = ""] = /(?<=^```sh\n)[^]*?(?=^```$)/m.exec(section) ?? [];
  const names = [...ports.matchAll(/\b[A-Z]+=(\d+)/g)].map(([, port]) => port as string);
  assert.equal(new Set(names).size, 8);
  let changed = section;
  for (const port of names) {
    const free = String(await freePort());
    changed = changed.replaceAll(new RegExp(`\\b${port}\\b`, "g"), free);
  }
  return changed;
}

/** A pattern of the page's result: `…` is any text within a line. */
const resultPattern = (text: string): RegExp => {
  const escaped = text.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".+")}$`);
};

describe(`"${HEADING}" of ${PAGE}`, function () {
  this.timeout(120_000);
  let folder: string;
  let shell: Shell;
  let steps: readonly PageStep[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "purser-security-page-"));
    const program = `${ROOT}dist/cli/purser.js`;
    assert.ok(existsSync(program), "dist/cli/purser.js is not there: run npm run build");
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/purser"), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
    chmodSync(join(folder, "bin/purser"), 0o755);
    const section = readText(PAGE)
      .split(/^## /m)
      .find((part) => part.startsWith(`${HEADING}\n`));
    assert.ok(section !== undefined);
    steps = stepsOf(await withFreePorts(section));
    mkdirSync(join(folder, "work"));
    shell = startShell(join(folder, "work"), `${folder}/bin:${process.env["PATH"] ?? ""}`);
  });

  after(async () => {
    await shell?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it("gives every result that it shows, when its commands are run literally", async () => {
    const counts = { file: 0, commands: 0, result: 0 };
    for (const step of steps) {
      counts[step.kind]++;
      if (step.kind === "file") {
        const path = join(folder, "work", step.path);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, step.text);
      } else if (step.kind === "commands") {
        const { code, output } = await shell.run(step.text);
        assert.equal(code, 0, `${step.text}\n${output}\n${shell.errors()}`);
      } else
        await eventually(async () => {
          const { output } = await shell.run(step.command);
          assert.match(output.trimEnd(), resultPattern(step.result), `${step.command}\n${shell.errors()}`);
        }, RESULT);
    }
    // A page without fences would pass, too.
    assert.deepEqual(counts, { file: 6, commands: 7, result: 16 });
  });

  it("leaves no process behind", async () => {
    // Each service may take its --drain of some seconds.
    await eventually(async () => assert.equal((await shell.run("jobs -r")).output, ""), {
      deadlineMs: 20_000,
    });
  });
});
