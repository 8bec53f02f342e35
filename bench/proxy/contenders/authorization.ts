// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { program } from "../../machine/repository.ts";
import { freePort } from "../../machine/free-port.ts";
import type { Site } from "./contender.ts";

/**
 * A service that answers every request with 200 and nothing else. It runs on the core of the load, as a real
 * one would run beside the proxy: the contender that asks it keeps a core for itself.
 */
export async function authorizationService(
  site: Site,
): Promise<{ readonly port: number; readonly command: readonly string[] }> {
  const port = await freePort();
  return { port, command: [site.node, program("authorization-service"), String(port)] };
}
