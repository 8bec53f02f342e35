// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { cached } from "./compiled-cache.ts";
import type { Charge, FunctionDefinition, Prepare } from "../definition.ts";
import { functionError, quoted } from "../error-codes.ts";
import { type PathTemplate, parsePathTemplate, withoutQuery } from "./path-template.ts";

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

/** Most templates of one call: their time adds up. */
const MAX_TEMPLATES = 1_000;
/** Most constant templates that a call without a charge may try: some 0.05 µs each; measured. */
const MAX_UNCHARGED_TEMPLATES = 16;
/** Steps for each template of a call, besides a step for each 8 characters: each is parsed when it is new. */
const STEPS_PER_TEMPLATE = 5;

interface NamedTemplate {
  readonly text: string;
  readonly template: PathTemplate;
}

function pathTemplate(path: Text, templates: string | readonly unknown[] | undefined): Text {
  if (path === undefined || templates === undefined) return undefined;
  return firstMatch(namedTemplates(templates), path);
}

/** @throws {ExpressionError} D4003 */
function namedTemplates(templates: string | readonly unknown[]): readonly NamedTemplate[] {
  const texts = typeof templates === "string" ? [templates] : templates;
  if (texts.length > MAX_TEMPLATES)
    throw functionError(
      "D4003",
      `$pathTemplate: ${texts.length} templates, and a call takes ${MAX_TEMPLATES}`,
    );
  return texts.map((text) => {
    if (typeof text !== "string")
      throw functionError("D4003", `$pathTemplate: ${quoted(String(text))} is not a path template`);
    return { text, template: templateOf(text) };
  });
}

function firstMatch(templates: readonly NamedTemplate[], target: string): Text {
  const path = withoutQuery(target);
  for (const { text, template } of templates) if (template.matches(path)) return text;
  return undefined;
}

const chargeTemplates: Charge = (guard, [, templates]) => {
  if (!Array.isArray(templates)) return;
  let steps = 0;
  for (const text of templates)
    steps += STEPS_PER_TEMPLATE + (typeof text === "string" ? text.length >> 3 : 0);
  guard.tick(steps);
};

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
  {
    name: "pathTemplate",
    signature: "<s-(as):s?>",
    cost: chargeTemplates,
    implementation: pathTemplate,
    docs: {
      summary:
        "The first of several path templates that a path, without its query, has the shape of (as for $pathMatch): a key or a label with one value for each route instead of one for each path. At most 1000 templates. No value when none matches.",
      parameters: ["path", "templates"],
      examples: [
        {
          expression: '$pathTemplate("/users/7/orders/12", ["/users/{id}", "/users/{id}/orders/{order}"])',
          result: "/users/{id}/orders/{order}",
        },
        {
          expression: '$pathTemplate("/users/7?full=1", ["/users/me", "/users/{id}"])',
          result: "/users/{id}",
        },
        { expression: '$pathTemplate("/books", ["/users/**"]) ?? "other"', result: "other" },
      ],
    },
    prepare([templates, ...more]) {
      if (more.length > 0 || !(typeof templates === "string" || Array.isArray(templates))) return undefined;
      const named = namedTemplates(templates);
      if (named.length > MAX_UNCHARGED_TEMPLATES) return undefined;
      return (path: Text) => (path === undefined ? undefined : firstMatch(named, path));
    },
  },
];
