// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";

/** From package.json, which is one folder up in the source tree and two in the build. */
export const VERSION: string =
  ["../package.json", "../../package.json"].flatMap((path) => {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as {
        name?: string;
        version?: string;
      };
      return name === "purser" && version !== undefined ? [version] : [];
    } catch {
      return [];
    }
  })[0] ?? "unknown";
