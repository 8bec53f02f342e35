// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes every generated file that is committed; with --check, writes nothing and fails when a file differs.
import { spawnSync } from "node:child_process";

const GENERATORS = [
  "generate-schemas.ts",
  "generate-openapi.ts",
  "generate-attributes-doc.ts",
  "generate-built-in-attributes.ts",
  "generate-dashboards.ts",
  "generate-documents-doc.ts",
  "generate-errors-doc.ts",
  "generate-functions-doc.ts",
  "generate-gateway-api-doc.ts",
  "generate-istio-samples-doc.ts",
  "generate-extensions-doc.ts",
  "generate-routing-doc.ts",
  "generate-templates-doc.ts",
  "generate-sdk-api.ts",
];

let failed = false;
for (const generator of GENERATORS) {
  const { status } = spawnSync("npx", ["tsx", `scripts/${generator}`, ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
