// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";
import { type MeshFolder, meshFolder, serviceEntry } from "../support/mesh-folder.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";
import { type Program, purser } from "../support/program.ts";

const DENY_ALL =
  "apiVersion: purser.dev/v1\nkind: AccessPolicy\nmetadata: { name: none }\nspec: { action: DENY }\n";
const MARK =
  "apiVersion: purser.dev/v1\nkind: EmptySet\nmetadata: { name: none-yet }\nspec: { reason: a test }\n";

describe("a set without policies", function () {
  this.timeout(60_000);
  let folder: MeshFolder;
  let program: Program | undefined;

  beforeEach(() => {
    folder = meshFolder({});
  });
  afterEach(async () => {
    await program?.stop("SIGKILL");
    program = undefined;
    folder.remove();
  });

  it("is refused at the start: the process exits with 2 and prints what to write", async () => {
    folder.write("routes.yaml", serviceEntry("shop", 9));
    const empty = meshFolder({});
    for (const [command, path] of [
      ["mixer", empty.path],
      ["mixer", folder.path],
      ["pilot", empty.path],
      ["run", empty.path],
    ] as const) {
      program = purser(command, "-c", path, `--${command === "pilot" ? "pilot" : "mixer"}-port=0`);
      assert.equal(await program.ended(), 2, command);
      assert.equal(program.output(), "");
      assert.match(program.errors(), /error: .*PURSER_CONFIG_EMPTY[\s\S]*EmptySet.*--allow-empty/);
    }
    empty.remove();
  });

  it("is accepted when a flag or a document allows it", async () => {
    for (const [mark, ...flags] of [[false, "--allow-empty"], [true]] as const) {
      if (mark) folder.write("empty.yaml", MARK);
      program = purser("mixer", "-c", folder.path, "--mixer-port=0", ...flags);
      const [, url = ""] = await program.until(/mixer listening on (\S+)/);
      assert.deepEqual(await (await fetch(`${url}/readyz`)).json(), { status: "ready" });
      await program.stop("SIGKILL");
    }
  });

  describe("that replaces an active set", () => {
    let mesh: MeshProgram;
    before(async () => {
      mesh = await startMesh(DENY_ALL);
    });
    after(() => mesh?.stop());

    const status = async (): Promise<number> => {
      const { statusCode, body } = await request(`${mesh.edge}/`, { headers: { host: "shop" } });
      await body.dump();
      return statusCode;
    };
    const config = async () =>
      (await (await fetch(`${mesh.mixer}/v1/config`)).json()) as {
        rejection?: { diagnostics: { code: string }[] };
      };

    it("is refused, and reported in the log, the metrics and the readiness; the last good set stays active", async () => {
      const policies = join(mesh.folder.path, "policies.yaml");
      const faults: (() => void)[] = [
        () => rmSync(policies),
        () => mesh.folder.write("policies.yaml", ""),
        () => mesh.folder.write("policies.yaml", "# kind: AccessPolicy\n"),
      ];
      for (const empty of faults) {
        empty();
        await eventually(async () =>
          assert.equal((await config()).rejection?.diagnostics[0]?.code, "PURSER_CONFIG_EMPTY"),
        );
        assert.equal(await status(), 403);
        const readiness = await fetch(`${mesh.mixer}/readyz`);
        assert.equal(readiness.status, 200);
        assert.match(await readiness.text(), /"rejection":\{"first":".*PURSER_CONFIG_EMPTY.*","faults":1\}/);
        assert.match(await (await fetch(`${mesh.mixer}/metrics`)).text(), /^purser_mixer_config_stale 1$/m);
        assert.match(
          mesh.program.errors(),
          /the new configuration is refused; the last good one stays in force/,
        );
        mesh.folder.write("policies.yaml", DENY_ALL);
        await eventually(async () => assert.equal((await config()).rejection, undefined));
        assert.match(await (await fetch(`${mesh.mixer}/metrics`)).text(), /^purser_mixer_config_stale 0$/m);
      }
      mesh.folder.write("policies.yaml", MARK);
      await eventually(async () => assert.equal(await status(), 200));
    });
  });
});
