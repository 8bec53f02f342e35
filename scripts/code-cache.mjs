// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Runs the bundle as a mesh in this process, sends it a few requests, and writes the code that V8 has compiled
// by then to dist/purser.cjs.cache. Functions that did not run are compiled when they are first called.

import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileBundle, evaluate } from "../dist/cli/start/bundle.js";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const BOOKSHOP = fileURLToPath(new URL("../examples/bookshop/mesh/", import.meta.url));
const REQUESTS = 50;
const DEADLINE_MS = 30_000;

const upstream = createServer((_request, response) => response.end("ok")).listen(0, "127.0.0.1");
await once(upstream, "listening");
const edgePort = await freePort();

const folder = mkdtempSync(join(tmpdir(), "purser-code-cache-"));
writeFileSync(
  join(folder, "mesh.yaml"),
  `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: upstream }
spec:
  hosts: [upstream]
  ports: [{ number: 80, name: http, protocol: HTTP }]
  location: MESH_INTERNAL
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1, ports: { http: ${upstream.address().port} } }]
---
apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: no-writes }
spec: { action: DENY, when: 'request.method = "DELETE" and $not(request.headers."x-role" = "admin")' }
---
apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: per-user }
spec: { limit: 1000, window: 10s, key: { user: request.headers."x-user" } }
`,
);

// The bookshop's policies and telemetry use most of what documents can say.
for (const file of ["policies.yaml", "telemetry.yaml"])
  copyFileSync(join(BOOKSHOP, file), join(folder, file));

const script = compileBundle(DIST);
const { main } = evaluate(script, DIST);
const ended = main([
  "run",
  "-c",
  folder,
  `--edge-port=${edgePort}`,
  "--mixer-port=0",
  "--pilot-port=0",
  "--admin-port=0",
  "--log-level=error",
  "--log-format=json",
]);
// The mesh ends by itself only when it cannot start.
void ended.then((code) => process.exit(code));
setTimeout(() => process.exit(1), DEADLINE_MS).unref();
for (let sent = 0; sent < REQUESTS; ) if (await answered()) sent += 1;

const made = `${DIST}purser.cjs.cache.${process.pid}`;
writeFileSync(made, script.createCachedData());
renameSync(made, `${DIST}purser.cjs.cache`);
rmSync(folder, { recursive: true });
process.exit(0);

async function answered() {
  try {
    const request = get({
      host: "127.0.0.1",
      port: edgePort,
      headers: { host: "upstream", "x-user": "ann" },
    });
    const [response] = await once(request, "response");
    response.resume();
    await once(response, "end");
    if (response.statusCode === 200) return true;
  } catch {
    // It does not listen yet.
  }
  await new Promise((resolve) => setTimeout(resolve, 10));
  return false;
}

async function freePort() {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
