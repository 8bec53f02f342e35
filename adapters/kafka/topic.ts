// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TemplateName } from "../../plugins/sdk/index.ts";

/** Kafka's limit of a topic's name, in characters (org.apache.kafka.common.internals.Topic). */
const MAX_LENGTH = 249;

const PLACEHOLDER = /\{([^{}]*)\}/g;
const PLACEHOLDERS: readonly string[] = ["template", "name", "handler"];

/** The fault of a topic template; undefined when it has none. */
export function topicFault(template: string): string | undefined {
  for (const [, name = ""] of template.matchAll(PLACEHOLDER)) {
    if (!PLACEHOLDERS.includes(name))
      return `the topic has the placeholder {${name}}; there are {template}, {name} and {handler}`;
  }
  const text = template.replaceAll(PLACEHOLDER, "");
  if (/[^a-zA-Z0-9._-]/.test(text))
    return 'a topic has letters and digits of ASCII, ".", "_" and "-" only, besides {template}, {name} and {handler}';
  if (text.length > MAX_LENGTH) return `a topic has ${MAX_LENGTH} characters at most`;
  if (template === "." || template === "..") return `"${template}" is not a topic that Kafka accepts`;
  return undefined;
}

/** The topic of an instance. Characters that no topic may have become "_", and a name that is too long is cut. */
export function topicOf(
  pattern: string,
  values: { readonly template: TemplateName; readonly name: string; readonly handler: string },
): string {
  const topic = pattern.replaceAll(PLACEHOLDER, (_, name: keyof typeof values) =>
    values[name].replaceAll(/[^a-zA-Z0-9._-]/g, "_"),
  );
  if (topic === "" || topic === "." || topic === "..") return "_";
  return topic.slice(0, MAX_LENGTH);
}
