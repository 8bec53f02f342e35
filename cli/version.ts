// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The package of the running program. */
export interface OwnPackage {
  /** The folder of package.json, with a slash at the end. */
  readonly folder: string;
  readonly version: string;
  readonly engines: { readonly node: string };
  /** Exact versions. */
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** package.json is one folder up in the source tree and two in the build; undefined when neither is there. */
export const OWN_PACKAGE: OwnPackage | undefined = ["../", "../../"].flatMap((path) => {
  try {
    const folder = new URL(path, import.meta.url);
    const { name, ...fields } = JSON.parse(
      readFileSync(new URL("package.json", folder), "utf8"),
    ) as OwnPackage & { readonly name?: string };
    return name === "purser" ? [{ ...fields, folder: fileURLToPath(folder) }] : [];
  } catch {
    return [];
  }
})[0];

export const VERSION: string = OWN_PACKAGE?.version ?? "unknown";
