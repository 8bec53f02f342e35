// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { perCharacter } from "../costs.ts";
import type { FunctionDefinition } from "../definition.ts";

type Text = string | undefined;

function startsWith(text: Text, prefix: Text): boolean | undefined {
  return text === undefined || prefix === undefined ? undefined : text.startsWith(prefix);
}

function endsWith(text: Text, suffix: Text): boolean | undefined {
  return text === undefined || suffix === undefined ? undefined : text.endsWith(suffix);
}

/** Compares all characters of the shorter text, so that the time depends on the lengths alone. */
function constantTimeEquals(a: Text, b: Text): boolean | undefined {
  if (a === undefined || b === undefined) return undefined;
  let difference = a.length ^ b.length;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}

export const COMPARISON_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "startsWith",
    signature: "<s-s:b>",
    implementation: startsWith,
    checks: { test: "start", searches: true },
    docs: {
      summary: "Whether a text begins with another.",
      parameters: ["text", "prefix"],
      examples: [{ expression: '$startsWith("/admin/users", "/admin/")', result: true }],
    },
  },
  {
    name: "endsWith",
    signature: "<s-s:b>",
    implementation: endsWith,
    checks: { test: "end", searches: true },
    docs: {
      summary: "Whether a text ends with another.",
      parameters: ["text", "suffix"],
      examples: [{ expression: '$endsWith("api.example.com", ".example.com")', result: true }],
    },
  },
  {
    name: "constantTimeEquals",
    signature: "<ss:b>",
    cost: perCharacter(0.1),
    implementation: constantTimeEquals,
    checks: { test: "equal" },
    docs: {
      summary:
        "Whether two texts are equal, in a time that depends on their lengths alone: for secrets, which `=` would let be guessed a character at a time.",
      parameters: ["a", "b"],
      examples: [
        { expression: '$constantTimeEquals("s3cret", "s3cret")', result: true },
        { expression: '$constantTimeEquals("s3cret", "S3cret")', result: false },
      ],
    },
  },
];
