// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { eventually } from "../support/eventually.ts";
import { type MeshFolder, meshFolder } from "../support/mesh-folder.ts";
import { type Program, purser } from "../support/program.ts";
import { freePort } from "../../bench/machine/free-port.ts";

// Stops processes in conditions that must not delay the end: a last-moment edit, a blocked reader, a stuck
// backend.

const PURSER = fileURLToPath(new URL("../../dist/cli/purser.js", import.meta.url));
const LINE_PADDING = 3_000;
/** Enough bags that their output exceeds the buffers of a pipe and a stream, so that unread output blocks. */
const BAGS = 250;

const documents = (edit: number, format = "json"): string => `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: p${edit} }
spec: { action: DENY, when: 'request.path = "/no"' }
---
apiVersion: purser.dev/v1
kind: Handler
metadata: { name: out }
spec: { adapter: stdout, config: { format: ${format} } }
---
apiVersion: purser.dev/v1
kind: LogEntry
metadata: { name: access }
spec: { variables: { path: request.path, pad: '"${"x".repeat(LINE_PADDING)}"' }, handlers: [out] }
`;

const mixerArgs = (folder: MeshFolder, port: number, ...flags: readonly string[]): readonly string[] => [
  "mixer",
  "-c",
  folder.path,
  `--mixer-port=${port}`,
  "--log-format=json",
  ...flags,
];

const until200 = (port: number): Promise<void> =>
  eventually(async () => assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200));

async function report(port: number): Promise<void> {
  const bags = Array.from({ length: BAGS }, (_, index) => ({ request: { path: `/${index}` } }));
  const { status } = await fetch(`http://127.0.0.1:${port}/v1/report`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ bags }),
  });
  assert.equal(status, 204);
}

const pause = (durationMs: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, durationMs));

/** Time that a process may take beyond its `--drain` on a busy machine. */
const SLACK_MS = 1_000;

describe("stopping a process", function () {
  this.timeout(120_000);
  let folder: MeshFolder;
  const children: ChildProcess[] = [];
  const programs: Program[] = [];

  beforeEach(() => {
    folder = meshFolder({ "a.yaml": documents(0) });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    for (const program of programs.splice(0)) await program.stop("SIGKILL");
    folder.remove();
  });

  /** Starts a process whose outputs are never read. */
  const startUnread = async (port: number, ...flags: readonly string[]) => {
    const child = spawn(process.execPath, [PURSER, ...mixerArgs(folder, port, ...flags)], { stdio: "pipe" });
    children.push(child);
    await until200(port);
    const ended = once(child, "exit") as Promise<[code: number | null, signal: string | null]>;
    const stop = async (signal: NodeJS.Signals, withinMs: number) => {
      const startMs = performance.now();
      child.kill(signal);
      const end = await Promise.race([ended, pause(withinMs).then(() => undefined)]);
      return { end, tookMs: performance.now() - startMs };
    };
    return { child, stop };
  };

  it("just after an edit gives exit code 0 and delivers the queue, however near the edit was", async () => {
    for (const beforeMs of [0, 20, 90, 150]) {
      folder.write("a.yaml", documents(0));
      const program = purser(...mixerArgs(folder, 0, "--drain=3s"));
      programs.push(program);
      const [, port = ""] = await program.until(/mixer listening on http:\/\/127\.0\.0\.1:(\d+)/);
      await report(Number(port));
      folder.write("a.yaml", documents(1, beforeMs === 90 ? "text" : "json"));
      await pause(beforeMs);
      const { code } = await program.stop("SIGTERM");
      assert.equal(code, 0, program.errors());
      assert.doesNotMatch(program.errors(), /[Uu]nhandled|"level":[56]0/);
      const lines = program
        .output()
        .split("\n")
        .filter((line) => line.includes("xxxx"));
      assert.equal(lines.length, BAGS, `${beforeMs} ms after the edit`);
    }
  });

  it("is not caused by an extension that leaves a promise rejected, or fails to be built", async () => {
    const leaky = (fault: string): string => `const adapter = {
  extension: "adapter", name: "leaky", description: "A test's.", templates: ["logentry"],
  config: { type: "object", properties: {} },
  build() { ${fault}; return { logentry() {}, close() { return Promise.reject(new Error("close")); } }; },
};
export default adapter;
`;
    const handler = (name: string, file: string): string =>
      `${documents(0)}---\napiVersion: purser.dev/v1\nkind: Handler\nmetadata: { name: ${name} }\nspec: { adapter: leaky, from: ./${file} }\n`;
    folder.write("leaks.mjs", leaky('void Promise.reject(new Error("forgotten"))'));
    folder.write("throws.mjs", leaky('throw new Error("cannot")'));
    const program = purser(...mixerArgs(folder, 0));
    programs.push(program);
    await program.until(/mixer listening/);
    for (const [file, said] of [
      ["leaks.mjs", /"handler":"leaks".*"error":"forgotten".*a rejected promise that nobody awaits/],
      ["throws.mjs", /could not be built: cannot/],
    ] as const) {
      folder.write("a.yaml", handler(file.replace(".mjs", ""), file));
      await eventually(async () => assert.match(program.errors(), said));
    }
    const { code } = await program.stop("SIGTERM");
    assert.equal(code, 0, program.errors());
  });

  it("keeps --drain when standard output is not read, and its handler was just replaced", async () => {
    for (const edited of [false, true]) {
      const port = await freePort();
      const { stop } = await startUnread(port, "--drain=800ms");
      await report(port);
      await pause(300);
      if (edited) folder.write("a.yaml", documents(1, "text"));
      await pause(700);
      const { end, tookMs } = await stop("SIGTERM", 10_000);
      assert.equal(end?.[0], 0);
      assert.ok(tookMs < 800 + SLACK_MS, `${tookMs} ms, edited: ${edited}`);
    }
  });

  for (const format of ["json", "text"]) {
    it(`keeps --drain when standard error is not read (--log-format ${format})`, async () => {
      const port = await freePort();
      const { stop } = await startUnread(port, "--drain=800ms", `--log-format=${format}`);
      const faults = Array.from({ length: 300 }, (_, index) =>
        ["---", "apiVersion: purser.dev/v1", "kind: AccessPolicy", `metadata: { name: p${index} }`].join(
          "\n",
        ),
      );
      for (const action of ["DENNY", "DENNIED", "DENYY"]) {
        folder.write("a.yaml", faults.map((text) => `${text}\nspec: { action: ${action} }\n`).join(""));
        await pause(400);
      }
      await until200(port);
      const { end, tookMs } = await stop("SIGTERM", 10_000);
      assert.equal(end?.[0], 0);
      assert.ok(tookMs < 800 + SLACK_MS, `${tookMs} ms`);
    });
  }

  it("is immediate with a second signal, whatever remains of --drain", async () => {
    for (const [first, second] of [
      ["SIGTERM", "SIGTERM"],
      ["SIGTERM", "SIGINT"],
      ["SIGINT", "SIGINT"],
    ] as const) {
      const port = await freePort();
      const { stop } = await startUnread(port, "--drain=60s");
      await report(port);
      await pause(300);
      assert.equal((await stop(first, 300)).end, undefined, "the first signal drains");
      const { end, tookMs } = await stop(second, 10_000);
      assert.deepEqual(end, [null, second]);
      assert.ok(tookMs < SLACK_MS, `${tookMs} ms`);
    }
  });
});
