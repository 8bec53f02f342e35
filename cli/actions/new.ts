// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";
import { isDnsLabel } from "../../kernel/dns-label.ts";
import { scaffoldFiles } from "../scaffold/files.ts";
import { readScaffold } from "../scaffold/texts.ts";
import { templatesFor } from "../scaffold/templates.ts";
import { usage } from "../scaffold/usage-error.ts";
import { assertUnused, writeUnused } from "../scaffold/unused-folder.ts";
import { OWN_PACKAGE } from "../version.ts";

export type Output = Pick<NodeJS.WriteStream, "write">;

interface Flags {
  readonly template?: string;
  readonly purser?: string;
}

/**
 * Writes the folder `name` in the working directory.
 *
 * @throws PurserError PURSER_CLI_USAGE for a name, template or folder that cannot be used.
 */
export function newExtension(kind: "adapter" | "plugin", name: string, flags: Flags, output: Output): void {
  if (!isDnsLabel(name)) {
    const rule =
      'lower-case letters, digits and "-" in the middle, at most 63 characters, such as my-backend';
    throw usage(`${JSON.stringify(name.slice(0, 80))} is not a name of an extension: write ${rule}`);
  }
  const templates = templatesFor(kind, flags.template);
  if (OWN_PACKAGE === undefined)
    throw new PurserError("PURSER_INTERNAL", "the package.json of this Purser was not found");
  assertUnused(name);
  const files = scaffoldFiles(
    { kind, name, templates, ownPackage: OWN_PACKAGE, purser: flags.purser },
    readScaffold(OWN_PACKAGE.folder),
  );
  writeUnused(name, files);
  const listed = [...files.keys()].map((path) => `  ${name}/${path}`).join("\n");
  output.write(`Wrote the ${kind} ${name}:\n${listed}\n\nNext:\n  cd ${name}\n  npm install\n  npm test\n`);
}
