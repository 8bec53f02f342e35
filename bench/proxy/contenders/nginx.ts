// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "../../machine/find-program.ts";
import { freePort } from "../../machine/free-port.ts";
import { authorizationService } from "./authorization.ts";
import type { Contender, Ready, Site } from "./contender.ts";

const MISSING = { missing: "nginx is not on PATH (apt-get install nginx)" };

export const nginx: Contender = {
  name: "nginx",
  summary: "proxy_pass with one worker and kept-alive upstream connections",
  prepare: (site) => prepare(site, "nginx"),
};

export const nginxWithAuthRequest: Contender = {
  name: "nginx-auth",
  summary: "the same, asking a trivial service by auth_request",
  async prepare(site) {
    const service = await authorizationService(site);
    const ready = await prepare(site, "nginx-auth", service.port);
    return "missing" in ready ? ready : { ...ready, helpers: [service.command] };
  },
};

async function prepare(site: Site, name: string, authPort?: number): Promise<Ready | { missing: string }> {
  const port = await freePort();
  const upstream = (block: string, to: number): string =>
    `upstream ${block} { server 127.0.0.1:${to}; keepalive 256; keepalive_requests 1000000000; }`;
  const pass = (block: string): string =>
    site.isGrpc === true
      ? `grpc_pass grpc://${block};`
      : `proxy_pass http://${block}; proxy_http_version 1.1; proxy_set_header Connection "";`;
  const auth =
    authPort === undefined
      ? ""
      : `location = /_auth { internal; ${pass("auth")} proxy_pass_request_body off; proxy_set_header Content-Length ""; }`;
  const command = nginxCommand(
    site.folder,
    name,
    `${upstream("origin", site.upstreamPort)}
  ${authPort === undefined ? "" : upstream("auth", authPort)}
  server {
    listen 127.0.0.1:${port} ${listenOptions(site)} backlog=4096; ${tls(site)}
    location / { ${authPort === undefined ? "" : "auth_request /_auth;"} ${pass("origin")} }
    ${auth}
  }`,
  );
  return command === undefined ? MISSING : { version: versionOf(command[0] ?? ""), port, command };
}

function listenOptions({ certificate, isGrpc }: Site): string {
  if (isGrpc === true) return "http2";
  return certificate === undefined ? "" : "ssl http2";
}

function tls({ certificate }: Site): string {
  return certificate === undefined
    ? ""
    : `ssl_certificate ${certificate.certFile}; ssl_certificate_key ${certificate.keyFile}; ssl_protocols TLSv1.2 TLSv1.3;`;
}

/** Writes a configuration with one worker and returns the command; undefined when nginx is not installed. */
export function nginxCommand(folder: string, name: string, http: string): readonly string[] | undefined {
  const binary = findProgram("nginx");
  if (binary === undefined) return undefined;
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  // A worker of a master that runs as root would otherwise become a user who may not read the bench's folder.
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${own}/${kind};`)
    .join(" ");
  const file = join(own, "nginx.conf");
  writeFileSync(
    file,
    `${user} worker_processes 1; daemon off; pid ${own}/nginx.pid; error_log ${own}/error.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; ${temporary}
  ${http}
}
`,
  );
  return [binary, "-p", own, "-e", `${own}/error.log`, "-c", file];
}

function versionOf(binary: string): string {
  return spawnSync(binary, ["-v"], { encoding: "utf8" })
    .stderr.trim()
    .replace(/^.*nginx\//, "");
}
