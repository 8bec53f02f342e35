// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/** The rules of the README for a user of an ACL, without the user's name and password. For the tests of this folder. */
export function documentedRules(topology: string): readonly string[] {
  const readme = readFileSync(new URL("README.md", import.meta.url), "utf8");
  const line = new RegExp(`^ACL SETUSER purser on >PASSWORD (.*?) +# ${topology}$`, "m").exec(readme)?.[1];
  assert.ok(line !== undefined, `no ACL for ${topology} in README.md`);
  return line.split(" ");
}
