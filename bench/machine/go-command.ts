// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { homedir } from "node:os";
import { join } from "node:path";

/** A command of a Go module, at an exact version. */
export interface GoCommand {
  readonly name: string;
  /** Import path of the command's package. */
  readonly module: string;
  /** `v1.2.3`. */
  readonly version: string;
}

/** The path of a command's program, which exists once a test has built it. */
export function goCommandPath({ name, version }: GoCommand): string {
  return join(homedir(), ".cache", "purser", "go", `${name}-${version}`, name);
}
