// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";

/** A Lua script, with the SHA-1 in hexadecimal by which Redis identifies it. */
export interface Script {
  readonly source: string;
  readonly sha1: string;
  /** The form of the strings in its replies: a string, or a Buffer. */
  readonly replies: "text" | "bytes";
}

/** @param replies Default: text. */
export function createScript(source: string, replies: Script["replies"] = "text"): Script {
  return { source, sha1: createHash("sha1").update(source).digest("hex"), replies };
}
