// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { RemoteIdentity } from "../../../tools/identity/remote-identity.ts";
import { createUsers } from "../users.ts";

// Writes what the proxies of docker-compose.yml need to join: a file NAME.token for each, which is made anew all the time,
// because a proxy that restarts needs a new token. Writes the users' document and a moderator's token beside them, once.
// The containers share the folder for brevity; on real machines, give each proxy its own token alone.

const ACCOUNTS: Readonly<Record<string, string>> = {
  edge: "default/edge",
  storefront: "bookshop/storefront",
  catalog: "bookshop/catalog",
  "reviews-v1": "bookshop/reviews",
  "reviews-v2": "bookshop/reviews",
  "reviews-v3": "bookshop/reviews",
  ratings: "bookshop/ratings",
};
/** Longest time that a restarted proxy waits for a token that nobody has used. */
const EVERY_MS = 20_000;
const TOKEN_LIFETIME_MS = 60_000;

const { values } = parseArgs({
  options: {
    identity: { type: "string", default: "http://127.0.0.1:15014" },
    "key-file": { type: "string", default: "/var/lib/purser-identity/operator.key" },
    folder: { type: "string", default: "/run/purser-joining" },
    /** A file that is written once the first tokens are there, for health checks. */
    "ready-file": { type: "string" },
  },
});
const { folder, identity } = values;

/** Replaces the file in one step, so that no reader sees half of it. */
function write(name: string, text: string): void {
  const file = join(folder, name);
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(0));
try {
  mkdirSync(folder, { recursive: true });
  const operator = new RemoteIdentity(identity, readFileSync(values["key-file"], "utf8").trim());
  const users = await createUsers(Date.now());
  write("users.yaml", users.document);
  write("moderator.jwt", users.moderatorToken);
  for (;;) {
    for (const [name, serviceAccount] of Object.entries(ACCOUNTS)) {
      const { token } = await operator.createToken({ serviceAccount, forMs: TOKEN_LIFETIME_MS });
      write(`${name}.token`, `${token}\n`);
    }
    if (values["ready-file"] !== undefined) writeFileSync(values["ready-file"], "");
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
} catch (error) {
  process.stderr.write(`join-tokens: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
