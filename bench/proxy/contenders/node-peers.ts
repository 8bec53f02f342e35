// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../machine/free-port.ts";
import { nodeVersion } from "../../machine/node-version.ts";
import { CACHE, program } from "../../machine/repository.ts";
import type { Contender } from "./contender.ts";

/**
 * The exact versions of the npm proxies. They are installed into the cache folder, not by package.json: fast-proxy needs
 * undici 5, http-proxy has had no release since 2020, and neither may be among what Purser's checks and audits look at.
 */
const PACKAGES = { "http-proxy": "1.18.1", "fast-proxy": "2.2.0" };

export const httpProxy = npmProxy("http-proxy", "the package http-proxy, with a keep-alive agent");
export const fastProxy = npmProxy("fast-proxy", "the package fast-proxy, over undici");

export const bareForwarder: Contender = {
  name: "forwarder",
  summary: "a bare forwarder on raw sockets that knows only framing: the platform's limit",
  async prepare(site) {
    const port = await freePort();
    return {
      version: nodeVersion(site.node),
      port,
      command: [site.node, program("bare-forwarder"), String(port), String(site.upstreamPort)],
    };
  },
};

function npmProxy(name: keyof typeof PACKAGES, summary: string): Contender {
  return {
    name,
    summary,
    async prepare(site) {
      const spec = `${name}@${PACKAGES[name]}`;
      const folder = join(CACHE, spec);
      try {
        if (!existsSync(join(folder, "node_modules", name, "package.json"))) {
          mkdirSync(folder, { recursive: true });
          const flags = ["--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts"];
          execFileSync("npm", ["install", ...flags, spec], { cwd: folder, stdio: "pipe" });
        }
      } catch {
        return { missing: `npm could not install ${spec} into ${folder}` };
      }
      const port = await freePort();
      const args = [program(name), folder, String(port), String(site.upstreamPort)];
      return { version: PACKAGES[name], port, command: [site.node, ...args] };
    },
  };
}
