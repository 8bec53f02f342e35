// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes docs/reference/sdk.api.md from the declarations that the compiler makes of the SDK; with --check, fails when the committed
// file differs. TypeScript 7 has no API for programs, so the declarations are read as text.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { surfaceOf } from "../test/support/declaration-files.ts";
import { writeOrCheck } from "./write-or-check.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

const { status } = spawnSync("npx", ["tsc", "-b", "plugins"], { cwd: ROOT, stdio: "inherit" });
if (status !== 0) process.exit(1);

const ENTRIES = { "purser/sdk": "plugins/sdk/index", "purser/sdk/testing": "plugins/sdk/testing/index" };

const { exported, internal } = surfaceOf(`${ROOT}dist/`, Object.values(ENTRIES));

const section = (title: string, statements: readonly string[] = []): string =>
  `## ${title}\n\n\`\`\`ts\n${statements.join("\n")}\n\`\`\`\n`;

writeOrCheck(
  "docs/reference/sdk.api.md",
  `# The SDK's surface

Everything that \`purser/sdk\` and \`purser/sdk/testing\` export, in the order of names, without comments. A change of this page is a change
that authors of extensions notice: review it as such. [adapters.md](../guides/adapters.md) and [plugins.md](../guides/plugins.md) explain the SDK.

This page is generated from the compiler's declarations by \`npm run generated\`.

${Object.keys(ENTRIES)
  .map((specifier, index) => section(`\`${specifier}\``, exported[index]))
  .join("\n")}
${section("Declarations that are not exported, and that these refer to", internal)}`,
);
