// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../machine/free-port.ts";
import { ROOT } from "../../machine/repository.ts";
import type { Certificate } from "../certificate.ts";
import type { Contender, Ready, Site } from "./contender.ts";
import { nodeVersion } from "../../machine/node-version.ts";

const PROGRAM = join(ROOT, "dist/cli/purser.js");

export const PURSER = "purser";
export const purserBare: Contender = {
  name: PURSER,
  summary: "`purser run` with routes and without policies",
  prepare: (site) => prepare(site, PURSER, ["routes"]),
};

export const PURSER_FULL = "purser-full";
export const purserFull: Contender = {
  name: PURSER_FULL,
  summary: "the same with 20 policies, 3 quotas, a counter, a histogram and an access log",
  prepare: (site) => prepare(site, PURSER_FULL, ["routes", "policies"]),
};

export const purserTwoWorkers: Contender = {
  name: "purser-full-2",
  summary: "purser-full with --workers 2, on two cores; needs three",
  async prepare(site) {
    const { all } = site.cores;
    if (all.length < 3) return { missing: `not measurable: ${all.length} cores, and two workers need three` };
    const help = execFileSync(site.node, [PROGRAM, "run", "--help"], { encoding: "utf8" });
    if (!help.includes("--workers")) return { missing: "purser run has no --workers" };
    const { command, ...ready } = await prepare(site, "purser-full-2", ["routes", "policies"]);
    const cores = all.filter((core) => core !== site.cores.load).slice(0, 2);
    return { ...ready, command: ["taskset", "--cpu-list", cores.join(","), ...command, "--workers", "2"] };
  },
};

async function prepare(site: Site, name: string, documents: readonly string[]): Promise<Ready> {
  const port = await freePort();
  const folder = join(site.folder, name);
  mkdirSync(folder, { recursive: true });
  for (const document of documents) {
    const text = readFileSync(join(ROOT, "bench/proxy/mesh", `${document}.yaml`), "utf8");
    writeFileSync(join(folder, `${document}.yaml`), filledIn(text, port, site));
  }
  const ports = ["--mixer-port", "0", "--pilot-port", "0", "--admin-port", "0"];
  return {
    version: `Node.js ${nodeVersion(site.node)}`,
    port,
    command: [site.node, PROGRAM, "run", "--config", folder, ...ports],
  };
}

/** A document with the ports and the protocol of this run. */
export function filledIn(
  text: string,
  port: number,
  { upstreamPort, certificate, isGrpc }: Pick<Site, "upstreamPort" | "certificate" | "isGrpc">,
): string {
  const protocol = isGrpc === true ? "GRPC" : "HTTP";
  return text
    .replaceAll("EDGE_PORT", String(port))
    .replaceAll("UPSTREAM_PORT", String(upstreamPort))
    .replaceAll("UPSTREAM_PROTOCOL", protocol)
    .replaceAll("EDGE_PROTOCOL", certificate === undefined ? protocol : "HTTPS")
    .replaceAll("EDGE_TLS", certificate === undefined ? "" : tls(certificate));
}

function tls({ certFile, keyFile }: Certificate): string {
  return `, tls: { mode: SIMPLE, serverCertificate: ${certFile}, privateKey: ${keyFile} }`;
}
