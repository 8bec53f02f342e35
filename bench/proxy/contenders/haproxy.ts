// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "../../machine/find-program.ts";
import { freePort } from "../../machine/free-port.ts";
import type { Contender } from "./contender.ts";

export const haproxy: Contender = {
  name: "haproxy",
  summary: "one thread, HTTP mode, upstream connections reused",
  async prepare(site) {
    const binary = findProgram("haproxy");
    if (binary === undefined) return { missing: "haproxy is not on PATH (apt-get install haproxy)" };
    const port = await freePort();
    const file = join(site.folder, "haproxy.cfg");
    writeFileSync(
      file,
      `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend edge
  bind 127.0.0.1:${port} backlog 4096
  default_backend origin
backend origin
  server origin 127.0.0.1:${site.upstreamPort}
`,
    );
    const version = /version (\S+)/.exec(spawnSync(binary, ["-v"], { encoding: "utf8" }).stdout)?.[1] ?? "";
    return { version, port, command: [binary, "-db", "-f", file] };
  },
};
