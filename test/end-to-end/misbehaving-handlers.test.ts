// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";

const SDK = new URL("../../dist/plugins/sdk/index.js", import.meta.url).href;

/** An adapter of a third party for each way of misbehaving; `behave` runs at each batch. */
const BEHAVIOURS = {
  throws: "setTimeout(() => { throw new Error('in a timer of its own'); }, 5);",
  floats: "void Promise.reject(new Error('nobody awaits this'));",
  hangs: "return new Promise(() => {});",
  blocks: "const endMs = performance.now() + 200; while (performance.now() < endMs);",
};

const adapterOf = (name: string, code: string): string => `
export const ${name} = defineAdapter({
  name: "${name}",
  description: "Misbehaves.",
  templates: ["logentry"],
  config: Type.Object({}),
  build: (context) => ({ logentry() { ${code} }, close() {} }),
});
`;

describe("handlers that misbehave", function () {
  this.timeout(120_000);
  let folder: string;
  let mesh: MeshProgram;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "purser-misbehaving-"));
    const module = join(folder, "adapters.mjs");
    const adapters = Object.entries(BEHAVIOURS).map(([name, code]) => adapterOf(name, code));
    writeFileSync(module, `import { defineAdapter, Type } from "${SDK}";\n${adapters.join("")}`);
    const handlers = Object.keys(BEHAVIOURS).map(
      (name) => `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: ${name} }
spec: { adapter: ${name}, from: "${module}", delivery: { linger: 20ms, timeout: 300ms, attempts: 1 } }
---
`,
    );
    mesh = await startMesh(`${handlers.join("")}apiVersion: purser.dev/v1
kind: LogEntry
metadata: { name: access }
spec: { variables: { path: request.path }, handlers: [${Object.keys(BEHAVIOURS).join(", ")}] }
`);
  });

  after(async () => {
    await mesh?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("are named in the log and counted, and hurt no request", async () => {
    const send = async (): Promise<number> => {
      const { statusCode, body } = await request(mesh.edge, { headers: { host: "shop" } });
      await body.dump();
      return statusCode;
    };
    for (let index = 0; index < 60; index++) {
      assert.equal(await send(), 200);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const expected = { throws: "exception", floats: "rejection", hangs: "unsettled", blocks: "blocked" };
    await eventually(async () => {
      const text = await (await fetch(`${mesh.mixer}/metrics`)).text();
      for (const [handler, kind] of Object.entries(expected))
        assert.match(text, new RegExp(`handler_faults_total\\{handler="${handler}",kind="${kind}"\\} [1-9]`));
    });
    const log = `${mesh.program.output()}${mesh.program.errors()}`;
    for (const [handler, kind] of Object.entries(expected)) {
      const lines = log
        .split("\n")
        .filter((line) => line.includes(`"handler":"${handler}"`) && line.includes(`"fault":"${kind}"`));
      assert.ok(
        lines.length >= 1 && lines.length <= 4,
        `${handler}: ${lines.length} lines\n${log.slice(0, 2_000)}`,
      );
    }
    // Restarted, with growing pauses: the pause of a second began at the first fault.
    await eventually(async () => {
      await Promise.resolve();
      assert.match(
        `${mesh.program.output()}${mesh.program.errors()}`,
        /the handler was restarted after a fault/,
      );
    });
    assert.equal(await send(), 200);
  });
});

describe("handlers in threads of their own", function () {
  this.timeout(120_000);
  let folder: string;
  let mesh: MeshProgram;

  const BEHAVIOURS_IN_THREADS = {
    works:
      "appendFileSync(process.env.PURSER_TEST_FILE, entries.map((entry) => `${entry.variables.path}\\n`).join(''));",
    refuses:
      "return { refused: [{ index: 0, error: new PurserError('PURSER_HANDLER_FAILED', 'not this one') }] };",
    exits: "process.exit(3);",
    loops: "for (;;);",
    throws: "setTimeout(() => { throw new Error('in a timer'); }, 5);",
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "purser-threads-"));
    const module = join(folder, "adapters.mjs");
    const adapters = Object.entries(BEHAVIOURS_IN_THREADS).map(
      ([name, code]) => `export const ${name} = defineAdapter({
  name: "${name}",
  description: "In a thread.",
  templates: ["logentry"],
  config: Type.Object({}),
  build: ({ logger }) => { logger.warn("built in a thread"); return { logentry(entries) { ${code} }, close() {} }; },
});
`,
    );
    writeFileSync(
      module,
      `import { appendFileSync } from "node:fs";\nimport { defineAdapter, PurserError, Type } from "${SDK}";\n${adapters.join("")}`,
    );
    const handlers = Object.keys(BEHAVIOURS_IN_THREADS).map(
      (name) => `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: ${name} }
spec:
  adapter: ${name}
  from: "${module}"
  isolation: thread
  delivery: { linger: 20ms, timeout: ${name === "loops" ? "300ms" : "10s"}, attempts: 1 }
---
`,
    );
    mesh = await startMesh(
      `${handlers.join("")}apiVersion: purser.dev/v1
kind: LogEntry
metadata: { name: access }
spec: { variables: { path: request.path }, handlers: [${Object.keys(BEHAVIOURS_IN_THREADS).join(", ")}] }
`,
      { environment: { PURSER_TEST_FILE: join(folder, "written") } },
    );
  });

  after(async () => {
    await mesh?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("work, and neither block nor end the mixer when they misbehave", async () => {
    let longestMs = 0;
    for (let index = 0; index < 100; index++) {
      const startMs = performance.now();
      const { statusCode, body } = await request(`${mesh.edge}/p${index}`, { headers: { host: "shop" } });
      await body.dump();
      assert.equal(statusCode, 200);
      longestMs = Math.max(longestMs, performance.now() - startMs);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // A thread that loops would hold a request for as long as it runs.
    assert.ok(longestMs < 2_000, `${longestMs} ms`);
    const written = async (): Promise<void> => {
      await Promise.resolve();
      const lines = readFileSync(join(folder, "written"), "utf8").trimEnd().split("\n");
      assert.deepEqual(
        lines,
        Array.from({ length: 100 }, (_, index) => `/p${index}`),
      );
    };
    await eventually(written);
    interface Status {
      readonly name: string;
      readonly queues: readonly {
        readonly delivered: number;
        readonly dropped: Readonly<Record<string, number>>;
      }[];
    }
    const queueOf = async (name: string) => {
      const answer = await fetch(`${mesh.mixer}/v1/handlers`);
      const { handlers } = (await answer.json()) as { handlers: Status[] };
      return handlers.find((handler) => handler.name === name)?.queues[0];
    };
    const dropsOf = async (name: string, reason: string) => (await queueOf(name))?.dropped[reason] ?? 0;
    await eventually(async () => assert.equal((await queueOf("works"))?.delivered, 100));
    assert.ok((await dropsOf("refuses", "refused")) > 0);
    assert.ok((await dropsOf("exits", "failed")) > 0);
    assert.ok((await dropsOf("loops", "failed")) > 0);
    const log = (): string => `${mesh.program.output()}${mesh.program.errors()}`;
    assert.match(log(), /"handler":"works".*built in a thread/);
    await eventually(async () => {
      await Promise.resolve();
      assert.match(log(), /"handler":"exits".*the handler was restarted/);
      assert.match(log(), /"handler":"loops".*did not answer for 5000 ms/);
      assert.match(log(), /"handler":"throws".*in a timer/);
    });
  });
});
