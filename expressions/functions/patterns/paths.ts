// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { cached } from "./compiled-cache.ts";
import type { FunctionDefinition, Prepare } from "../definition.ts";
import { type PathTemplate, parsePathTemplate } from "./path-template.ts";

type Text = string | undefined;

const templateOf = cached(parsePathTemplate);

function pathMatch(path: Text, template: Text): boolean | undefined {
  return path === undefined || template === undefined ? undefined : isMatch(templateOf(template), path);
}

function pathParams(path: Text, template: Text): Record<string, string> | undefined {
  return path === undefined || template === undefined ? undefined : paramsOf(templateOf(template), path);
}

function isMatch(template: PathTemplate, path: string): boolean {
  return template.match(path) !== undefined;
}

function paramsOf(template: PathTemplate, path: string): Record<string, string> | undefined {
  const variables = template.match(path);
  // Object.fromEntries defines even __proto__ as an own property.
  return variables === undefined ? undefined : Object.fromEntries(variables);
}

function preparing<Result>(ask: (template: PathTemplate, path: string) => Result): Prepare {
  return ([template, ...more]) => {
    if (more.length > 0 || typeof template !== "string") return undefined;
    const compiled = templateOf(template);
    return (path: Text) => (path === undefined ? undefined : ask(compiled, path));
  };
}

export const PATH_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "pathMatch",
    signature: "<s-s:b>",
    cost: "measured",
    implementation: pathMatch,
    checks: { test: "template", searches: true },
    docs: {
      summary:
        "Whether a path, without its query, has the shape of a template: `*` is one segment, `**` at the end the rest of the path, `{name}` one segment with a name, `{name=a/*}` and `{name=**}` a name for several. Percent-encoding is left as it is.",
      parameters: ["path", "template"],
      examples: [
        { expression: '$pathMatch("/users/7/orders?page=2", "/users/{id}/orders")', result: true },
        { expression: '$pathMatch("/users/7", "/users/{id}/orders")', result: false },
        { expression: '$pathMatch("/static/css/a.css", "/static/**")', result: true },
      ],
    },
    prepare: preparing(isMatch),
  },
  {
    name: "pathParams",
    signature: "<s-s:o>",
    cost: "measured",
    implementation: pathParams,
    checks: { test: "template", searches: true },
    docs: {
      summary: "What the names of a path template stand for in a path; no value when $pathMatch is false.",
      parameters: ["path", "template"],
      examples: [
        {
          expression: '$pathParams("/users/7/orders/2026/11", "/users/{id}/orders/{order=**}")',
          result: { id: "7", order: "2026/11" },
        },
        { expression: '$pathParams("/users/7", "/users/{id}").id', result: "7" },
      ],
    },
    prepare: preparing(paramsOf),
  },
];
