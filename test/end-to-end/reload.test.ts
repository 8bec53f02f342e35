// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { request } from "undici";
import { load } from "../support/load.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";

// Makes five hundred edits under load, every second one broken.

const EDITS = 500;
/** The loader debounces changes by 75 ms, so it would combine edits closer than that. */
const BETWEEN_EDITS_MS = 110;

const good = (edit: number): string => `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: edited }
spec:
  action: ALLOW
  headers: { response: { set: { x-edit: '"${edit}"' } } }
`;

const BROKEN = [
  "kind: [",
  "apiVersion: purser.dev/v1\nkind: AccessPolicy\nmetadata: { name: edited }\nspec: { action: DENNY }\n",
  "apiVersion: purser.dev/v1\nkind: AccessPolicy\nmetadata: { name: edited }\nspec: { action: DENY, when: 'request.method = ' }\n",
  "apiVersion: purser.dev/v1\nkind: QuotaPolicy\nmetadata: { name: q }\nspec: { limit: 1, window: 1s, store: nowhere }\n",
  'apiVersion: purser.dev/v1\nkind: AccessPolicy\nmetadata: { name: edited }\nspec: { action: DENY, when: requst.method = "GET" }\n',
];

describe(`${EDITS} edits under load, half of them broken`, function () {
  this.timeout(180_000);
  let mesh: MeshProgram;

  before(async () => {
    mesh = await startMesh(good(0), { flags: ["--log-level=error"] });
  });
  after(() => mesh?.stop());

  const edge = async (): Promise<unknown> => {
    const { headers, body } = await request(`${mesh.edge}/`, { headers: { host: "shop" } });
    await body.dump();
    return headers["x-edit"];
  };

  it("fail no request, and leave the last good set active", async () => {
    let stop: () => void = () => {};
    const over = new Promise<void>((resolve) => (stop = resolve));
    const traffic = load({ origin: mesh.edge, path: "/", concurrency: 8, until: over });
    let lastGood = 0;
    for (let edit = 1; edit <= EDITS; edit++) {
      if (edit % 2 === 0) lastGood = edit;
      mesh.folder.write(
        "policies.yaml",
        edit % 2 === 0 ? good(edit) : (BROKEN[((edit - 1) / 2) % BROKEN.length] as string),
      );
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_EDITS_MS));
    }
    mesh.folder.write("policies.yaml", BROKEN[0] as string);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    stop();
    const { sent, statuses, failures } = await traffic;
    assert.deepEqual(failures, []);
    assert.deepEqual([...statuses], [[200, sent]]);
    assert.ok(sent > EDITS, `only ${sent} requests`);
    const status = (await (await fetch(`${mesh.mixer}/v1/config`)).json()) as {
      rejection?: { diagnostics: { code: string }[] };
    };
    assert.equal(status.rejection?.diagnostics[0]?.code, "PURSER_DOC_SYNTAX");
    const metrics = await (await fetch(`${mesh.mixer}/metrics`)).text();
    const applied = Number(
      /^purser_mixer_\w*reload\w*\{[^}]*(?:result|outcome)="(?:ok|applied|accepted)"[^}]*\} (\d+)/m.exec(
        metrics,
      )?.[1] ?? 0,
    );
    assert.ok(applied > EDITS / 4, `${applied} sets came into force`);
    assert.doesNotMatch(mesh.program.errors(), /Unhandled|Warning/);
    assert.equal(lastGood, EDITS);
  });

  it("take effect within a second each", async () => {
    mesh.folder.write("policies.yaml", good(1_000));
    const startMs = performance.now();
    while ((await edge()) !== "1000") assert.ok(performance.now() - startMs < 1_000, "not within a second");
  });
});
