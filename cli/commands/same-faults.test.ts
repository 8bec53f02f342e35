// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Command } from "commander";
import { BUNDLED_ADAPTERS } from "../../adapters/inventory.ts";
import { ConfigRejected } from "../../config/config-rejected.ts";
import { BUNDLED_PLUGINS } from "../../plugins/inventory.ts";
import { meshFolder, type MeshFolder, serviceEntry } from "../../test/support/mesh-folder.ts";
import { printedDiagnostics } from "../../test/support/printed-diagnostics.ts";
import { adapterModule, mineOf, wrongSets, writeSet } from "../../test/support/wrong-sets.ts";
import { type MeshFlags, runMesh } from "../compose/run-mesh.ts";
import { createRuntime } from "../compose/runtime.ts";
import { runProgram } from "../main.ts";
import { runCommand } from "./run.ts";
import { validateCommand } from "./validate.ts";

const LAST_LINE = /\n(\d+) faults? in the configuration$/;

describe("purser validate and purser run", function () {
  this.timeout(30_000);
  const runtime = createRuntime({ logLevel: "error", logFormat: "json" });
  let folder: MeshFolder;

  afterEach(() => folder.remove());

  async function validated(paths: readonly string[], flags: readonly string[]) {
    let text = "";
    const output = { write: (more: string) => (text += more) };
    const program = new Command("purser").addCommand(validateCommand(output));
    return { code: await runProgram(program, ["validate", ...paths, ...flags]), text };
  }

  /** The error of `purser run` with these documents, which the program prints; "" when the mesh runs. */
  async function refused(paths: readonly string[], flags: readonly string[]): Promise<string> {
    const ports = ["edge", "mixer", "pilot", "admin"].map((name) => `--${name}-port=0`);
    const command = runCommand().exitOverride();
    command.parseOptions([...paths.flatMap((path) => ["-c", path]), ...ports, ...flags, "--log-level=error"]);
    const options = command.opts<MeshFlags & { readonly drain: number }>();
    try {
      const mesh = await runMesh({ ...options, sidecar: [], drainMs: 0 }, runtime);
      await mesh.close(0);
      return "";
    } catch (error) {
      assert.ok(error instanceof ConfigRejected, String(error));
      return error.message;
    }
  }

  for (const { name, files, paths = ["."], flags = [], codes } of wrongSets()) {
    it(`say the same of ${name}`, async () => {
      folder = meshFolder({});
      writeSet(folder.path, files);
      const at = paths.map((path) => (path === "." ? folder.path : `${folder.path}/${path}`));
      const { code, text } = await validated(at, flags);
      const error = await refused(at, flags);
      const printed = printedDiagnostics(text);
      assert.deepEqual(printedDiagnostics(error), printed);
      assert.deepEqual(
        printed.map(({ kind }) => kind),
        codes.map((each) => (each.includes(" ") ? each : `error ${each}`)),
        text,
      );
      const errors = printed.filter(({ kind }) => kind.startsWith("error")).length;
      assert.equal(code, 2);
      assert.equal(LAST_LINE.exec(error)?.[1], String(errors));
      assert.match(text, new RegExp(` ${errors} errors?, `));
    });
  }

  it("differ only where an extension has no check and its build fails, which validate says", async () => {
    const failing = adapterModule("", 'build: () => { throw new Error("3 is odd"); },');
    folder = meshFolder({ "a.yaml": mineOf("./mine.mjs", "{ size: 3 }"), "mine.mjs": failing });
    const file = `${folder.path}/a.yaml`;
    const { code, text } = await validated([folder.path], []);
    assert.equal(code, 0);
    assert.equal(
      text,
      `1 document, 0 expressions, 0 errors, 0 warnings
Handler h (${file}:1) is checked by its schema alone, since the adapter mine of ./mine.mjs has no check.
`,
    );
    assert.deepEqual(
      printedDiagnostics(await refused([folder.path], [])).map(({ head }) => head),
      [`${file}:1:1: error: handler h could not be built: 3 is odd [PURSER_HANDLER_BUILD]`],
    );
    assert.equal((await validated([folder.path], ["--quiet"])).text, "");
  });

  it("say nothing more of extensions that have a check, or nothing to configure", async () => {
    const nothing = adapterModule("").replace("{ size: Type.Integer({ default: 1 }) }", "{}");
    for (const module of [adapterModule("[]"), nothing]) {
      folder = meshFolder({ "a.yaml": mineOf("./mine.mjs"), "mine.mjs": module });
      const { text } = await validated([folder.path], []);
      assert.equal(text, "1 document, 0 expressions, 0 errors, 0 warnings\n");
      assert.equal(await refused([folder.path], []), "");
      folder.remove();
    }
  });

  it("are compared for every bundled extension", () => {
    const sets = wrongSets().map(({ name }) => name);
    for (const { extension, name } of [...BUNDLED_ADAPTERS, ...BUNDLED_PLUGINS])
      assert.ok(
        sets.some((set) => set.startsWith(`${extension}: ${name} `)),
        `no wrong set of ${name}`,
      );
  });

  it("accept the same correct set", async () => {
    folder = meshFolder({ "a.yaml": serviceEntry("shop", 9) });
    assert.equal((await validated([folder.path], [])).code, 0);
    assert.equal(await refused([folder.path], []), "");
  });

  it("accept the same empty set with --allow-empty", async () => {
    folder = meshFolder({});
    assert.equal((await validated([folder.path], ["--allow-empty"])).code, 0);
    assert.equal(await refused([folder.path], ["--allow-empty"]), "");
  });
});
