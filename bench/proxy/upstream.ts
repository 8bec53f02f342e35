// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nginxCommand } from "./contenders/nginx.ts";
import { frame } from "./load/grpc.ts";
import { ACCEPTED, USERS } from "./load/workloads.ts";
import type { Children } from "../machine/children.ts";
import { freePort } from "../machine/free-port.ts";
import { startServer } from "../machine/server.ts";

const BODIES = { "100": 100, "1k": 1024, "64k": 65_536 };

/**
 * Starts the nginx that all contenders forward to, and resolves with its port once it accepts connections.
 *
 * @param isGrpc Whether it speaks HTTP/2 without TLS, and answers unary calls of `bench.Echo`, instead of HTTP/1.1.
 */
export async function startUpstream(
  children: Children,
  core: number,
  folder: string,
  isGrpc: boolean,
): Promise<number> {
  const port = await freePort();
  const root = join(folder, "www");
  mkdirSync(root, { recursive: true });
  for (const [name, bytes] of Object.entries(BODIES)) {
    // h2load asks for the same body by several names.
    for (const suffix of ["", ...Array.from({ length: USERS }, (_, turn) => `-${turn + 1}`)])
      writeFileSync(join(root, name + suffix), "x".repeat(bytes));
  }
  // nginx answers by `return` before it reads the request's body. An nginx in front then fails some later calls of the
  // connection ("upstream sent frame for unknown stream"). `mirror` makes the upstream read the body first, and empty_gif
  // refuses each POST with 405, for which the answer stands in.
  const command = nginxCommand(
    folder,
    "upstream",
    `sendfile on; tcp_nopush on; open_file_cache max=100 inactive=600s;
  server {
    listen 127.0.0.1:${port} ${isGrpc ? "http2" : ""} backlog=4096;
    root ${root};
    default_type text/plain;
    location /post { return 200 "${ACCEPTED}"; }
    location /bench.Echo/ { mirror /_read; empty_gif; error_page 405 =200 @unary; }
    location = /_read { internal; return 204; }
    location @unary { default_type application/grpc; add_trailer grpc-status 0 always; return 200 "${frame()}"; }
  }`,
  );
  if (command === undefined)
    throw new Error("nginx is the upstream, and is not on PATH (apt-get install nginx)");
  await startServer(children, {
    name: "the upstream",
    core,
    command,
    port,
    logFile: join(folder, "upstream.log"),
  });
  return port;
}
