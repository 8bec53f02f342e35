// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes docs/reference/functions.md from the table of functions; with --check, fails when the committed file differs.
import { readFileSync, writeFileSync } from "node:fs";
import type { FunctionDefinition, FunctionDocs } from "../expressions/functions/definition.ts";
import { FUNCTION_ERRORS } from "../expressions/functions/error-codes.ts";
import { readsContext } from "../expressions/functions/function-facts.ts";
import { FUNCTIONS } from "../expressions/functions/functions.ts";

const FILE = new URL("../docs/reference/functions.md", import.meta.url);

function sectionOf({ name, signature }: FunctionDefinition, docs: FunctionDocs): string {
  const { parameters, summary, examples } = docs;
  const rows = examples.map(({ expression, result }) => `| \`${inCell(expression)}\` | ${shown(result)} |`);
  const call = `$${name}(${parameters.join(", ")})`;
  return `## $${name}\n\n\`${call}\` gives ${resultOf(signature)}.\n\n${summary}\n\n| Expression | Value |\n|---|---|\n${rows.join("\n")}\n`;
}

/** Names of result types by the letter in a signature, `<s-s:b>`. */
const RESULTS: Readonly<Record<string, string>> = {
  b: "true or false",
  s: "a text",
  n: "a number",
  a: "an array",
  o: "an object",
  x: "any value",
};

function resultOf(signature: string): string {
  const letter = /:([a-z])/.exec(signature)?.[1] ?? "x";
  return RESULTS[letter] ?? RESULTS["x"] ?? "";
}

function shown(result: unknown): string {
  return result === undefined ? "none" : `\`${inCell(JSON.stringify(result))}\``;
}

function listOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function inCell(text: string): string {
  return text.replaceAll("|", "\\|");
}

const sections = [...FUNCTIONS.values()].flatMap((definition) =>
  definition.docs === undefined ? [] : [sectionOf(definition, definition.docs)],
);

/** Functions that do not take the context as a missing first argument. */
const withoutContext = [...FUNCTIONS.values()]
  .filter(({ name, docs }) => docs !== undefined && !readsContext(name, 0))
  .map(({ name }) => `$${name}`);

const faults = Object.entries(FUNCTION_ERRORS).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);

const text = `# Functions

Expressions can call these functions besides [JSONata's functions](https://docs.jsonata.org/string-functions). An absent argument
gives no value, unless it is optional (\`?\`). The context stands in for a first argument that is left out, as in JSONata:
\`request.url_path.$glob("/v1/**")\`. ${listOf(withoutContext)} take no argument from it.

A mistake in a constant argument, such as a malformed block of addresses, is found when the document is loaded. In an argument that
is computed, it makes the expression fail with a code of the table at the end; an argument of the wrong type fails with JSONata's
T0410. Malformed input from a request is not an error: each function below says what it returns then.

${sections.join("\n")}
## Codes

| Code | Meaning |
|---|---|
${faults.join("\n")}

This page is generated from the records in \`expressions/functions/\` by \`npm run generated\`.
`;

if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== text) {
    process.stderr.write(
      "docs/reference/functions.md is not what the functions say: run `npm run generated`\n",
    );
    process.exit(1);
  }
} else {
  writeFileSync(FILE, text);
}
