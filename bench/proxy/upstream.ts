// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nginxCommand } from "./contenders/nginx.ts";
import type { Children } from "../machine/children.ts";
import { freePort } from "../machine/free-port.ts";
import { startServer } from "../machine/server.ts";

const BODIES = { "100": 100, "1k": 1024, "64k": 65_536 };

/** Starts the nginx that all contenders forward to, and resolves with its port once it accepts connections. */
export async function startUpstream(children: Children, core: number, folder: string): Promise<number> {
  const port = await freePort();
  const root = join(folder, "www");
  mkdirSync(root, { recursive: true });
  for (const [name, bytes] of Object.entries(BODIES)) writeFileSync(join(root, name), "x".repeat(bytes));
  const command = nginxCommand(
    folder,
    "upstream",
    `sendfile on; tcp_nopush on; open_file_cache max=100 inactive=600s;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${root};
    default_type text/plain;
    location = /post { return 200 "accepted\\n"; }
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
