// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Runs the bundle as a mesh in this process, sends it a few requests, waits for their reports, and writes the code that
// V8 has compiled by then to dist/purser.cjs.cache. Functions that did not run are compiled when they are first called.

import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { compileBundle, evaluate } from "../dist/cli/start/bundle.js";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const BOOKSHOP = fileURLToPath(new URL("../examples/bookshop/mesh/", import.meta.url));
const REQUESTS = 50;
const DEADLINE_MS = 30_000;
const PAUSE_MS = 10;

const upstream = createServer((_request, response) => response.end("ok")).listen(0, "127.0.0.1");
await once(upstream, "listening");
const [edgePort, mixerPort, adminPort] = [await freePort(), await freePort(), await freePort()];

const folder = mkdtempSync(join(tmpdir(), "purser-code-cache-"));
writeFileSync(
  join(folder, "mesh.yaml"),
  `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: upstream }
spec:
  hosts: [upstream.mesh]
  ports: [{ number: 80, name: http, protocol: HTTP }]
  location: MESH_INTERNAL
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1, ports: { http: ${upstream.address().port} } }]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge }
spec:
  servers: [{ port: { number: ${edgePort}, name: http, protocol: HTTP }, hosts: ["*"] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: all }
spec:
  hosts: ["*"]
  gateways: [edge]
  http:
    - match: [{ uri: { prefix: / } }]
      timeout: 10s
      retries: { attempts: 2, perTryTimeout: 5s, retryOn: connect-failure }
      route: [{ destination: { host: upstream.mesh } }]
---
apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: no-writes }
spec:
  match: destination.service.name = "upstream"
  action: DENY
  when: '(request.method = "DELETE" or $contains(request.url_path, "/admin")) and $not(request.headers."x-role" = "admin")'
---
apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: users }
spec: { action: ALLOW, when: $exists(request.headers."x-user") }
---
apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: auditors }
spec: { action: AUDIT, when: request.headers."x-user" = "auditor" }
---
apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: per-user }
spec: { limit: 1000, window: 10s, key: { user: request.headers."x-user" } }
---
apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: per-address }
spec: { limit: 1000, window: 10s, key: { ip: source.ip } }
---
apiVersion: purser.dev/v1
kind: LogEntry
metadata: { name: access }
spec: { variables: { method: request.method, code: response.code, ms: response.duration }, handlers: [terminal] }
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
  `--mixer-port=${mixerPort}`,
  "--pilot-port=0",
  `--admin-port=${adminPort}`,
  "--log-level=error",
  "--log-format=json",
]);
// The mesh ends by itself only when it cannot start.
void ended.then((code) => process.exit(code));
setTimeout(() => process.exit(1), DEADLINE_MS).unref();
for (let sent = 0; sent < REQUESTS; ) if ((await answerOf(edgePort, "/"))?.code === 200) sent += 1;
await answerOf(edgePort, "/", "DELETE");
await answerOf(adminPort, "/stats/prometheus");
// The mixer counts the requests when their reports have arrived.
while (!(await answerOf(mixerPort, "/metrics"))?.body.includes("\nrequests_total{")) await sleep(PAUSE_MS);

const made = `${DIST}purser.cjs.cache.${process.pid}`;
writeFileSync(made, script.createCachedData());
renameSync(made, `${DIST}purser.cjs.cache`);
rmSync(folder, { recursive: true });
process.exit(0);

/** Resolves with undefined, after a pause, when nothing answers yet. */
async function answerOf(port, path, method = "GET") {
  try {
    const headers = { "x-user": "ann", accept: "*/*" };
    const request = get({ host: "127.0.0.1", port, path, method, headers });
    const [response] = await once(request, "response");
    return { code: response.statusCode, body: await text(response) };
  } catch {
    await sleep(PAUSE_MS);
    return undefined;
  }
}

async function freePort() {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
