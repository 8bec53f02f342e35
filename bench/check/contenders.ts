// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeVersion } from "../machine/node-version.ts";
import type { Ready } from "../proxy/contenders/contender.ts";
import { answersHttp } from "../proxy/probe.ts";
import { freePort } from "../machine/free-port.ts";
import { program, ROOT } from "../machine/repository.ts";

export const PROGRAM = join(ROOT, "dist/cli/purser.js");

/** The name of a contender, in reports. */
export type ContenderName = "koa" | "koa-short" | "mixer";

/** The reply of the application `koa-short`: what a client must know at least. */
const SHORT_REPLY = { version: "1", decision: { status: { code: "OK" }, charges: [] }, quotas: [] };

/** Writes the documents of bench:proxy into a folder: 20 policies, 3 quotas, a counter, a histogram and a log. */
export function writePolicies(folder: string): string {
  const documents = join(folder, "documents");
  mkdirSync(documents);
  writeFileSync(
    join(documents, "policies.yaml"),
    readFileSync(join(ROOT, "bench/proxy/mesh/policies.yaml"), "utf8"),
  );
  return documents;
}

export async function mixerWith(documents: string, node: string): Promise<Ready> {
  const port = await freePort();
  const command = [node, PROGRAM, "mixer", "--config", documents, "--mixer-port", String(port)];
  return { version: nodeVersion(node), port, isAnswering: answersHttp("/healthz"), command };
}

/** @param reply The reply's body that the application sends; undefined for one of a few bytes. */
export async function koaApp(
  name: string,
  folder: string,
  node: string,
  reply: unknown = SHORT_REPLY,
): Promise<Ready> {
  const port = await freePort();
  const file = join(folder, `${name}.reply.json`);
  writeFileSync(file, JSON.stringify(reply));
  const command = [node, program("koa-app", "check"), String(port), file];
  return { version: nodeVersion(node), port, isAnswering: answersHttp("/healthz"), command };
}
