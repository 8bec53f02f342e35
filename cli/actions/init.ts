// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDnsLabel } from "../../kernel/dns-label.ts";
import { PurserError } from "../../kernel/errors.ts";
import { isAddress } from "../../kernel/matching/ip-blocks.ts";
import { fill, readScaffold } from "../scaffold/texts.ts";
import { usage } from "../scaffold/usage-error.ts";
import { assertUnused, writeUnused } from "../scaffold/unused-folder.ts";
import { OWN_PACKAGE } from "../version.ts";

export type Output = Pick<NodeJS.WriteStream, "write">;

interface Flags {
  readonly service: string;
  readonly upstream: string;
}

const DOCUMENTS = ["routes.yaml", "policies.yaml", "policies.test.yaml", "telemetry.yaml"];

/** The schema of every kind, beside the documents, so that they need nothing else of this program. */
const SCHEMA = "purser.schema.json";

/**
 * Writes the documents of a small mesh into `folder`.
 *
 * @throws PurserError PURSER_CLI_USAGE for a service, an address or a folder that cannot be used.
 */
export function init(folder: string, { service, upstream }: Flags, output: Output): void {
  if (!isDnsLabel(service))
    throw usage(
      `--service: ${JSON.stringify(service.slice(0, 80))} is no name: write lower-case letters, digits and "-"`,
    );
  const values = { service, ...endpointOf(upstream) };
  if (OWN_PACKAGE === undefined)
    throw new PurserError("PURSER_INTERNAL", "the package.json of this Purser was not found");
  assertUnused(folder);
  const read = readScaffold(OWN_PACKAGE.folder);
  const files = new Map(DOCUMENTS.map((path) => [path, fill(read(`mesh/${path}`), values)]));
  files.set(SCHEMA, readFileSync(join(OWN_PACKAGE.folder, "schemas", SCHEMA), "utf8"));
  writeUnused(folder, files);
  const listed = [...files.keys()].map((path) => `  ${join(folder, path)}`).join("\n");
  output.write(
    `Wrote a mesh in front of ${service} at ${upstream}:\n${listed}\n\nNext:\n  cd ${folder}\n  purser test\n  purser run\n` +
      `  curl -i http://127.0.0.1:8080/            the service's answer\n` +
      `  curl -i -X DELETE http://127.0.0.1:8080/  403, with the policy's message\n`,
  );
}

/** A name that DNS may have, as an endpoint's address. */
const HOST_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

function endpointOf(upstream: string): { address: string; port: string; resolution: string } {
  const [, v6, name, port = ""] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(upstream) ?? [];
  const address = v6 ?? name ?? "";
  const isIp = isAddress(address);
  if ((!isIp && (v6 !== undefined || !HOST_NAME.test(address))) || Number(port) < 1 || Number(port) > 65_535)
    throw usage(
      `--upstream: ${JSON.stringify(upstream.slice(0, 80))} is no HOST:PORT such as 127.0.0.1:3000`,
    );
  return { address: isIp ? JSON.stringify(address) : address, port, resolution: isIp ? "STATIC" : "DNS" };
}
