// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { fork, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { meshFlags } from "../../cli/commands/run.ts";
import { runProgram } from "../../cli/main.ts";
import { type MeshFlags, runMesh } from "../../cli/compose/run-mesh.ts";
import { stopSignal } from "../../cli/compose/stopping.ts";
import { surviveHandlers } from "../../cli/compose/uncaught-errors.ts";
import { meshSummary } from "../../cli/output/mesh-summary.ts";
import { createRuntime } from "../../cli/compose/runtime.ts";
import { PurserError } from "../../kernel/errors.ts";
import { createUsers } from "./users.ts";

// The demo: the bookshop's services in their own process, and a mesh around them in this process.

const FROM_SOURCE = import.meta.url.endsWith(".ts");
/** Documents are not compiled: the built demo reads the source tree's documents, which a user edits. */
const MESH = fromHere(
  fileURLToPath(new URL(FROM_SOURCE ? "./mesh" : "../../../examples/bookshop/mesh", import.meta.url)),
);
const SERVICES = fileURLToPath(
  new URL(FROM_SOURCE ? "./services/main.ts" : "./services/main.js", import.meta.url),
);
const SERVICES_START_MS = 10_000;

/** A sidecar beside each service; see services/main.ts for the ports that they call, mesh/services.yaml for those called. */
const SIDECARS: MeshFlags["sidecar"] = [
  sidecar("storefront", "v1", { app: 9080, outbound: 15001 }),
  // These two call nobody: any free port will do.
  sidecar("catalog", "v1", { app: 9081, outbound: 0 }),
  sidecar("ratings", "v1", { app: 9086, outbound: 0 }),
  sidecar("reviews", "v1", { app: 9083, outbound: 15002 }),
  sidecar("reviews", "v2", { app: 9084, outbound: 15003 }),
  sidecar("reviews", "v3", { app: 9085, outbound: 15004 }),
];

function sidecar(
  service: string,
  version: string,
  ports: { readonly app: number; readonly outbound: number },
): MeshFlags["sidecar"][number] {
  return {
    service,
    namespace: "bookshop",
    labels: { app: service, version },
    outboundPort: ports.outbound,
    inbound: { port: ports.app + 100, appHost: "127.0.0.1", appPort: ports.app },
  };
}

/** @param token A moderator's. */
const linesToTry = (token: string): string => `Try
  curl http://127.0.0.1:8080/
      the shop's page: allowed
  curl -i -X DELETE http://127.0.0.1:8080/api/ratings/1
      denied by a policy, which the reply names
  for i in $(seq 12); do curl -s -o /dev/null -D - -H 'x-user: ann' http://127.0.0.1:8080/api/reviews/1 | grep -iE '^(HTTP|ratelimit|retry)'; done
      ten requests in ten seconds, then 429
  for i in $(seq 10); do curl -s http://127.0.0.1:8080/api/reviews/1 | grep -o '"version":"v."'; done
      reviews v1, v2 and v3 at 50, 30 and 20 per cent
  curl -s http://127.0.0.1:9092/metrics | grep requests_total
      the metrics of these requests
  curl -i -H 'host: ratings' http://127.0.0.1:15001/ratings/1
      denied by a policy on identities: storefront may not call ratings; through the sidecar of reviews, port 15003, it is allowed
  curl http://127.0.0.1:9186/ratings/1
      closed: the sidecar of ratings accepts mutual TLS alone
  curl -i -X DELETE -H 'authorization: Bearer ${token}' http://127.0.0.1:8080/api/ratings/1
      allowed: the token of a moderator, for eight hours

Edit a file in ${MESH} while this runs. Ctrl-C stops it.
`;

/** The path relative to the current folder, when that is shorter. */
function fromHere(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.length < path.length ? fromHere : path;
}

interface Flags extends Omit<MeshFlags, "sidecar" | "drainMs"> {
  readonly drain: number;
}

async function demo(flags: Flags): Promise<void> {
  const services = await startServices();
  // The folder has the keys of the mesh's authority, and the document with the key of the users' tokens: new with each start.
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), "purser-bookshop-"));
    const runtime = createRuntime(flags);
    surviveHandlers(runtime.logger);
    const users = await createUsers(Date.now());
    const usersFile = join(folder, "users.yaml");
    await writeFile(usersFile, users.document);
    const { identityState = join(folder, "identity"), config, drain: drainMs } = flags;
    const mesh = await runMesh(
      { ...flags, config: [...config, usersFile], identityState, sidecar: SIDECARS, drainMs },
      runtime,
    );
    process.stdout.write(`${meshSummary(mesh)}\n${linesToTry(users.moderatorToken)}`);
    await stopSignal();
    await mesh.close(flags.drain);
  } finally {
    services.kill();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

function startServices(): Promise<ChildProcess> {
  const child = fork(SERVICES, ["all"], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return new Promise((resolve, reject) => {
    const fail = (message: string): void => {
      child.kill();
      reject(new PurserError("PURSER_PORT_TAKEN", `the bookshop's services could not start: ${message}`));
    };
    const timer = setTimeout(() => fail(`not ready within ${SERVICES_START_MS} ms`), SERVICES_START_MS);
    child.once("exit", (code) => fail(`they ended with code ${code}`));
    child.on("message", (message: { readonly kind: string; readonly message?: string }) => {
      clearTimeout(timer);
      child.removeAllListeners("exit");
      if (message.kind === "ready") resolve(child);
      else fail(message.message ?? "no reason given");
    });
  });
}

const program = new Command("bookshop").description("The bookshop in a mesh on loopback.");
const command = meshFlags(new Command("start")).action(demo);
program.addCommand(command, { isDefault: true });
// Nothing is lost with the demo, which should end as soon as Ctrl-C is pressed.
const defaults = ["start", "-c", MESH, "--drain=800ms"];
process.exit(await runProgram(program, [...defaults, ...process.argv.slice(2)]));
