// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { fork, type ChildProcess } from "node:child_process";
import { relative } from "node:path";
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

/** Ports that the services call; see services/main.ts. */
const SIDECARS: MeshFlags["sidecar"] = [
  { service: "storefront", outboundPort: 15001 },
  { service: "reviews", outboundPort: 15002 },
];

const TRY = `Try
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
  try {
    const runtime = createRuntime(flags);
    surviveHandlers(runtime.logger);
    const mesh = await runMesh({ ...flags, sidecar: SIDECARS, drainMs: flags.drain }, runtime);
    process.stdout.write(`${meshSummary(mesh)}\n${TRY}`);
    await stopSignal();
    await mesh.close(flags.drain);
  } finally {
    services.kill();
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
