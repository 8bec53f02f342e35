// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { PageStep } from "./page-steps.ts";

/** Ports of `purser run` and of the services, unless flags say otherwise. */
const DEFAULT_PORTS = [8080, 9092, 15_000, 15_010, 15_012, 15_014];

/** The ports that a page's commands and documents name. */
function portsOf(steps: readonly PageStep[]): readonly number[] {
  const text = steps
    .filter(({ kind }) => kind !== "not run")
    .map((step) => step.text)
    .join("\n");
  const named = [...text.matchAll(/(?:127\.0\.0\.1:|localhost:|-port[ =]|[A-Z]+=)(\d{4,5})\b/g)];
  const serves = /purser (?:run|mixer|pilot|proxy|identity --)/.test(text);
  return [...new Set([...named.map(([, port]) => Number(port)), ...(serves ? DEFAULT_PORTS : [])])];
}

/** Fails when another program listens on a port of the page. */
export async function requireFreePorts(path: string, steps: readonly PageStep[]): Promise<void> {
  for (const port of portsOf(steps)) {
    const server = createServer();
    const listening = once(server, "listening");
    server.listen(port, "127.0.0.1");
    await listening.catch((error: Error) =>
      assert.fail(`${path} uses port ${port}, which another program has taken: ${error.message}`),
    );
    server.close();
    await once(server, "close");
  }
}
