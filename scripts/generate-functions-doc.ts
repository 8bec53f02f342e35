// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes docs/functions.md from the table of functions; with --check, fails when the committed file differs.
import { readFileSync, writeFileSync } from "node:fs";
import type { FunctionDefinition, FunctionDocs } from "../expressions/functions/definition.ts";
import { FUNCTION_ERRORS } from "../expressions/functions/error-codes.ts";
import { FUNCTIONS } from "../expressions/functions/functions.ts";

const FILE = new URL("../docs/functions.md", import.meta.url);

function sectionOf({ name, signature }: FunctionDefinition, docs: FunctionDocs): string {
  const { parameters, summary, examples } = docs;
  const rows = examples.map(({ expression, result }) => `| \`${inCell(expression)}\` | ${shown(result)} |`);
  const call = `$${name}(${parameters.join(", ")})`;
  return `## $${name}\n\n\`${call}\` gives ${RESULTS[signature.at(-2) ?? "x"]}.\n\n${summary}\n\n| Expression | Value |\n|---|---|\n${rows.join("\n")}\n`;
}

/** By the letter of the result in a signature, `<s-s:b>`. */
const RESULTS: Readonly<Record<string, string>> = {
  b: "true or false",
  s: "a text",
  n: "a number",
  a: "an array",
  o: "an object",
  x: "any value",
};

function shown(result: unknown): string {
  return result === undefined ? "none" : `\`${inCell(JSON.stringify(result))}\``;
}

function inCell(text: string): string {
  return text.replaceAll("|", "\\|");
}

const sections = [...FUNCTIONS.values()].flatMap((definition) =>
  definition.docs === undefined ? [] : [sectionOf(definition, definition.docs)],
);

const faults = Object.entries(FUNCTION_ERRORS).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);

const text = `# Functions

What expressions can call besides [JSONata's functions](https://docs.jsonata.org/string-functions). An absent argument gives no
value, unless it is optional (\`?\`). Where JSONata's functions take the context for a first argument that is left out, so do these:
\`request.url_path.$glob("/v1/**")\`; but $constantTimeEquals, $semverCompare and $hash take all that they need.

What a policy writes wrongly, such as a malformed block of addresses, is refused when the document is loaded where it is a constant,
and otherwise makes the expression fail, with a code of the table at the end; so does an argument of the wrong type, with JSONata's T0410. What a request brings in a wrong form does not: the functions say what
they give then.

${sections.join("\n")}
## Codes

| Code | Meaning |
|---|---|
${faults.join("\n")}

This page is generated from the records in \`expressions/functions/\` by \`npm run generated\`.
`;

if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== text) {
    process.stderr.write("docs/functions.md is not what the functions say: run `npm run generated`\n");
    process.exit(1);
  }
} else {
  writeFileSync(FILE, text);
}
