// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes docs/reference/errors.md from the catalog; with --check, fails when the committed file differs.
import { readFileSync, writeFileSync } from "node:fs";
import { ERROR_CATALOG } from "../kernel/error-catalog.ts";

const FILE = new URL("../docs/reference/errors.md", import.meta.url);

const rows = Object.entries(ERROR_CATALOG).map(
  ([code, { summary, remedy, retryable }]) =>
    `### ${code}\n\n${summary}\n\n**What to do:** ${remedy}${retryable === true ? " The same call may succeed later." : ""}\n`,
);

const text = `# Errors

Every error that Purser reports has one of these codes. Faults in documents are shown as
\`file:line:column: error: what is wrong (did you mean …?) [CODE]\`; the HTTP APIs answer
\`{"error": {"code", "message", "remedy"}}\`; a proxy's own replies are \`application/problem+json\` with the code in
\`x-purser-error\`. Match on the code: messages may change, codes do not.

This page is generated from \`kernel/error-catalog.ts\` by \`npm run generated\`.

${rows.join("\n")}`;

if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== text) {
    process.stderr.write("docs/reference/errors.md is not what the catalog says: run `npm run generated`\n");
    process.exit(1);
  }
} else {
  writeFileSync(FILE, text);
}
