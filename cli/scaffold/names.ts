// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Operators and constants of expressions, which are no names there. */
const WORDS: ReadonlySet<string> = new Set(["and", "or", "in", "true", "false", "null", "function"]);

/** The name of the exported constant: `myWebhookAdapter` for my-webhook. */
export function identifierOf(name: string, kind: "adapter" | "plugin"): string {
  const camel = name.replace(/-+(.)/g, (_, letter: string) => letter.toUpperCase());
  const suffix = kind === "adapter" ? "Adapter" : "Plugin";
  return `${/^\d/.test(camel) ? "_" : ""}${camel}${suffix}`;
}

/** A name that expressions and metrics may use: `my_webhook`. */
export function underscored(name: string): string {
  const text = name.replaceAll("-", "_");
  return /^\d/.test(text) || WORDS.has(text) ? `x_${text}` : text;
}

/** The name as text in YAML, quoted where YAML would read a number or a constant. */
export function inYaml(name: string): string {
  return /^[a-z]/.test(name) && !WORDS.has(name) ? name : JSON.stringify(name);
}
