// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { program } from "../../machine/repository.ts";
import { freePort } from "../../machine/free-port.ts";
import type { Site } from "./contender.ts";

/**
 * A service that answers every request with 200 and nothing else. It shares the core of the proxy that asks it, as
 * Purser's mixer shares that of Purser's proxy.
 */
export async function authorizationService(
  site: Site,
): Promise<{ readonly port: number; readonly command: readonly string[] }> {
  const port = await freePort();
  return { port, command: [site.node, program("authorization-service"), String(port)] };
}
