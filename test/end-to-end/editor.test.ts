// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { type NpmFolder, npmFolder, requireRegistry } from "../support/npm-folder.ts";

/** The server of the YAML extensions of editors. */
const SERVER = "yaml-language-server";
const VERSION = "1.25.0";

/** Longest wait for the diagnostics of a file, in milliseconds. */
const DEADLINE_MS = 30_000;

/** The library of the server's protocol, which is installed with it. */
const CLIENT = "vscode-jsonrpc/node";

/** The part of vscode-jsonrpc that the test uses. */
interface JsonRpc {
  createMessageConnection(reader: object, writer: object): Connection;
  readonly StreamMessageReader: new (stream: Readable) => object;
  readonly StreamMessageWriter: new (stream: Writable) => object;
}

interface Connection {
  listen(): void;
  onRequest(method: string, handler: (params: { readonly items: readonly unknown[] }) => unknown): void;
  onNotification(method: string, handler: (params: { readonly diagnostics: readonly Shown[] }) => void): void;
  sendRequest(method: string, params: object): Promise<unknown>;
  sendNotification(method: string, params: object): Promise<void>;
}

interface Shown {
  readonly range: { readonly start: { readonly line: number } };
  readonly message: string;
}

describe("an editor with the YAML language server", function () {
  this.timeout(180_000);
  let folder: NpmFolder;

  before(async function () {
    folder = npmFolder();
    const installed = await folder.run(`npm install --no-audit --no-fund --prefix . ${SERVER}@${VERSION}`);
    requireRegistry(this, installed);
    assert.equal(installed.code, 0, installed.output);
    const made = await folder.run("purser init mesh");
    assert.equal(made.code, 0, made.output);
  });
  after(() => folder?.remove());

  /** The diagnostics that the server sends for a file of the mesh with this text, as `LINE: MESSAGE`. */
  async function diagnosticsOf(name: string, text: string): Promise<readonly string[]> {
    const require = createRequire(join(folder.path, "package.json"));
    const rpc = require(CLIENT) as JsonRpc;
    const program = join(folder.path, "node_modules", SERVER, "bin", SERVER);
    const server = spawn(process.execPath, [program, "--stdio"], { stdio: ["pipe", "pipe", "ignore"] });
    try {
      const connection = rpc.createMessageConnection(
        new rpc.StreamMessageReader(server.stdout),
        new rpc.StreamMessageWriter(server.stdin),
      );
      connection.onRequest("workspace/configuration", ({ items }) => items.map(() => ({})));
      connection.onRequest("client/registerCapability", () => null);
      // oxlint-disable-next-line promise/avoid-new -- the answer is a notification
      const shown = new Promise<readonly Shown[]>((resolve, reject) => {
        connection.onNotification("textDocument/publishDiagnostics", (sent) => resolve(sent.diagnostics));
        setTimeout(() => reject(new Error("no diagnostics arrived")), DEADLINE_MS).unref();
      });
      connection.listen();
      await connection.sendRequest("initialize", { processId: process.pid, rootUri: null, capabilities: {} });
      await connection.sendNotification("initialized", {});
      const uri = pathToFileURL(join(folder.path, "mesh", name)).href;
      const textDocument = { uri, languageId: "yaml", version: 1, text };
      await connection.sendNotification("textDocument/didOpen", { textDocument });
      return (await shown).map(({ range, message }) => `${range.start.line + 1}: ${message}`);
    } finally {
      server.kill();
      await once(server, "exit");
    }
  }

  const read = (name: string): string => readFileSync(join(folder.path, "mesh", name), "utf8");

  it("shows nothing in the files of purser init", async () => {
    for (const name of ["routes.yaml", "policies.yaml", "policies.test.yaml", "telemetry.yaml"])
      assert.deepEqual(await diagnosticsOf(name, read(name)), [], name);
  });

  it("shows a typo in the configuration of an adapter once, on its line", async () => {
    const text = read("telemetry.yaml").replace(
      "adapter: prometheus }",
      "adapter: prometheus,\n  config: {\n    prefixx: shop } }",
    );
    const line = text.split("\n").findIndex((each) => each.includes("prefixx")) + 1;
    assert.ok(line > 1);
    assert.deepEqual(await diagnosticsOf("telemetry.yaml", text), [
      `${line}: Property prefixx is not allowed.`,
    ]);
  });

  it("shows typos in later documents of a file, each once", async () => {
    const text = read("routes.yaml").replace("gateways: [edge]", "gateway: [edge]");
    const line = text.split("\n").findIndex((each) => each.includes("gateway: [edge]")) + 1;
    assert.deepEqual(await diagnosticsOf("routes.yaml", text), [`${line}: Property gateway is not allowed.`]);
  });
});
