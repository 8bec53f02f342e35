// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A temporary folder of documents for a test. */
export interface MeshFolder {
  readonly path: string;
  write(file: string, text: string): void;
  remove(): void;
}

export function meshFolder(files: Readonly<Record<string, string>>): MeshFolder {
  const path = mkdtempSync(join(tmpdir(), "purser-mesh-"));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  };
  for (const [file, text] of Object.entries(files)) write(file, text);
  return { path, write, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A ServiceEntry with its endpoints on the loopback address. */
export function serviceEntry(name: string, ...ports: readonly number[]): string {
  const endpoints = ports.map((port) => `    - { address: 127.0.0.1, ports: { http: ${port} } }`);
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name} }
spec:
  hosts: [${name}]
  ports: [{ number: 80, name: http, protocol: HTTP }]
  location: MESH_INTERNAL
  resolution: STATIC
  endpoints:
${endpoints.join("\n")}
`;
}
