// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes config/built-in-attributes.ts from the built-in manifest; with --check, fails when the committed file differs.
import { readFileSync, writeFileSync } from "node:fs";
import { parse } from "yaml";
import type { AttributeManifestSpec } from "../expressions/manifest/manifest-spec.ts";

const SOURCE = new URL("../policies/attribute-manifest.yaml", import.meta.url);
const FILE = new URL("../config/built-in-attributes.ts", import.meta.url);

const { spec } = parse(readFileSync(SOURCE, "utf8")) as { spec: AttributeManifestSpec };
const rows = Object.entries(spec.attributes).map(
  ([name, attribute]) => `  ${JSON.stringify(name)}: ${JSON.stringify(attribute)},`,
);

const text = `// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Generated from policies/attribute-manifest.yaml by npm run generated.

import type { AttributeManifestSpec } from "../expressions/manifest/manifest-spec.ts";

/** The attributes of the built-in manifest: a start need not parse and check the document, which took 90 ms. */
export const BUILT_IN_ATTRIBUTES: AttributeManifestSpec["attributes"] = {
${rows.join("\n")}
};
`;

if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== text) {
    process.stderr.write("config/built-in-attributes.ts is out of date: run npm run generated\n");
    process.exit(1);
  }
} else {
  writeFileSync(FILE, text);
}
