// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { stringify } from "yaml";
import type { SourceLocation } from "../../kernel/diagnostic.ts";
import type { ImportedPolicy } from "./policies.ts";

/** The document of a policy, with a comment that names its sources. */
export function documentText({ name, spec, path, limitAt, descriptorAt }: ImportedPolicy): string {
  const document = { apiVersion: "purser.dev/v1", kind: "QuotaPolicy", metadata: { name }, spec };
  const sources = [
    `# ${oneLine(path)}: limit of ${placeOf(limitAt)}`,
    ...(descriptorAt.file === limitAt.file ? [] : [`# descriptor of ${placeOf(descriptorAt)}`]),
  ];
  // Lines are not folded: a folded expression hides where it begins and ends.
  return `${sources.join("\n")}\n${stringify(document, { lineWidth: 0 })}`;
}

function placeOf({ file, line }: SourceLocation): string {
  return `${oneLine(file)}:${line}`;
}

/** A control character in a comment could end it. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\u2028\u2029]/gu, "?");
}
