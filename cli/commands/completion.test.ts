// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type MeshFolder, meshFolder } from "../../test/support/mesh-folder.ts";
import { runMain } from "../../test/support/run-main.ts";

describe("purser completion", () => {
  let folder: MeshFolder;
  let script: string;
  before(async () => {
    folder = meshFolder({});
    script = join(folder.path, "purser.bash");
    writeFileSync(script, (await runMain("completion", "bash")).out);
  });
  after(() => folder.remove());

  /** The completions that bash offers for the last word of a line. */
  const completed = (line: string): readonly string[] => {
    const words = line.split(" ");
    const program = `source ${script}; compopt() { :; }; COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _purser; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync("bash", ["-c", program], { encoding: "utf8" })
      .split("\n")
      .filter((word) => word !== "");
  };

  it("completes commands, those below a command, flags and their choices in bash", () => {
    assert.deepEqual(completed("purser va"), ["validate"]);
    assert.ok(completed("purser ").includes("run"));
    assert.deepEqual(completed("purser run --log-le"), ["--log-level"]);
    assert.deepEqual(completed("purser run --log-level w"), ["warn"]);
    assert.deepEqual(completed("purser run --log-level warn --log-f"), ["--log-format"]);
    assert.ok(completed("purser quotas ").includes("reset"));
    assert.ok(!completed("purser quotas reset ").includes("validate"));
    assert.deepEqual(completed("purser nothing-such --zz"), []);
  });

  it("is a script that each shell reads, where the shell is installed", async () => {
    for (const [shell, flag] of [
      ["bash", "-n"],
      ["zsh", "-n"],
      ["fish", "--no-execute"],
    ] as const) {
      const { code, out } = await runMain("completion", shell);
      assert.equal(code, 0);
      for (const command of ["validate", "replay", "quotas"])
        assert.ok(out.includes(command), `${shell} ${command}`);
      const { status, error, stderr } = spawnSync(shell, [flag], { input: out, encoding: "utf8" });
      if ((error as NodeJS.ErrnoException | undefined)?.code !== "ENOENT") assert.equal(status, 0, stderr);
    }
  });

  it("refuses other shells, and lists those that there are", async () => {
    const { code, err } = await runMain("completion", "tcsh");
    assert.equal(code, 2);
    assert.match(err, /bash, zsh, fish/);
  });
});
