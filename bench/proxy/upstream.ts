// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nginxCommand } from "./contenders/nginx.ts";
import type { Children } from "../machine/children.ts";
import { freePort } from "../machine/free-port.ts";

const BODIES = { "100": 100, "1k": 1024, "64k": 65_536 };
const START_DEADLINE_MS = 5_000;

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
  const log = join(folder, "upstream.log");
  const child = children.start(core, command, log);
  const startMs = performance.now();
  while (!(await accepts(port))) {
    if (!child.isRunning() || performance.now() - startMs > START_DEADLINE_MS)
      throw new Error(`the upstream did not start: see ${log}`);
    await sleep(10);
  }
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
