// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { freePort } from "../../bench/machine/free-port.ts";
import { meshFolder, type MeshFolder, serviceEntry } from "../support/mesh-folder.ts";
import { type Program, purser } from "../support/program.ts";
import { runSchemathesis, schemathesis } from "../support/schemathesis.ts";

// Holds the built program's control surfaces to their OpenAPI documents: Schemathesis makes requests of each document, valid and
// invalid, and accepts no 5xx and no answer that the document does not declare.

const TOKEN = "e2e-token-of-the-operators";
const SURFACES = ["mixer", "pilot", "admin"] as const;
type Surface = (typeof SURFACES)[number];

const POLICIES = `apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: per-user }
spec:
  key: { user: 'request.headers."x-user"' }
  limit: 10
  window: 10s
---
apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: no-traces }
spec:
  action: DENY
  when: request.method = "TRACE"
`;

describe("the descriptions of the built program's control surfaces", function () {
  this.timeout(150_000);
  let folder: MeshFolder;
  let program: Program;
  const urls = {} as Record<Surface, string>;

  before(async () => {
    folder = meshFolder({ "mesh.yaml": serviceEntry("shop", 9), "policies.yaml": POLICIES, tokens: TOKEN });
    const [mixer, pilot, admin] = [await freePort(), await freePort(), await freePort()];
    for (const [name, port] of Object.entries({ mixer, pilot, admin }))
      urls[name as Surface] = `http://127.0.0.1:${port}`;
    program = purser(
      "run",
      "-c",
      folder.path,
      "--edge-port=0",
      "--log-level=error",
      `--mixer-port=${mixer}`,
      `--pilot-port=${pilot}`,
      `--admin-port=${admin}`,
      `--control-token-file=${folder.path}/tokens`,
    );
    await program.until(/Policies/);
  });

  after(async () => {
    await program.stop();
    folder.remove();
  });

  for (const surface of SURFACES) {
    it(`serves the committed document of ${surface}`, async () => {
      const answer = await fetch(`${urls[surface]}/v1/openapi.json`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      assert.deepEqual(await answer.json(), JSON.parse(readFileSync(documentOf(surface), "utf8")));
    });
  }

  describe("by Schemathesis", () => {
    let command: string;

    before(async function () {
      command = await schemathesis(this);
    });

    const check = (
      surface: Surface,
      options: { readonly only?: readonly string[]; readonly except?: readonly string[] },
    ) =>
      runSchemathesis(command, {
        file: documentOf(surface),
        url: urls[surface],
        headers: { Authorization: `Bearer ${TOKEN}`, "X-Purser-Token": TOKEN },
        examples: 15,
        folder: folder.path,
        ...options,
      });

    for (const surface of SURFACES) {
      it(`holds ${surface} to its document`, async () => {
        // A proxy that drains is not ready, with 503.
        const requests = await check(surface, surface === "admin" ? { except: ["drain"] } : {});
        assert.ok(requests > 50, `${requests} requests`);
      });
    }

    it("holds a surface to its document without a token", async () => {
      const file = documentOf("mixer");
      const requests = await runSchemathesis(command, {
        file,
        url: urls.mixer,
        examples: 1,
        folder: folder.path,
      });
      assert.ok(requests > 50, `${requests} requests`);
    });

    it("holds the drain of a proxy to its document", async () => {
      assert.ok((await check("admin", { only: ["drain"] })) > 0);
    });

    it("finds an answer that a document does not declare", async () => {
      const document = JSON.parse(readFileSync(documentOf("pilot"), "utf8")) as {
        paths: Record<string, { get: { responses: Record<string, unknown> } }>;
      };
      delete document.paths["/v1/version"]?.get.responses["200"];
      folder.write("changed.json", JSON.stringify(document));
      await assert.rejects(
        runSchemathesis(command, {
          file: `${folder.path}/changed.json`,
          url: urls.pilot,
          headers: { Authorization: `Bearer ${TOKEN}` },
          only: ["getVersion"],
          examples: 1,
          folder: folder.path,
        }),
        /Undocumented status code/,
      );
    });
  });

  describe("after all of these requests", () => {
    it("no log line has the token", () => {
      assert.ok(!(program.errors() + program.output()).includes(TOKEN));
    });
  });
});

function documentOf(surface: Surface): string {
  return fileURLToPath(new URL(`../../schemas/openapi/${surface}.json`, import.meta.url));
}
