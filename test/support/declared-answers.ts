// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { ERROR_CATALOG } from "../../kernel/error-catalog.ts";
import { SURFACE_DOCUMENTS } from "../../api/json/operations/surfaces.ts";

interface Described {
  readonly description: string;
  readonly content?: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Described>> }>>>
  >;
}

/**
 * Compares every answer that the tests of the enclosing `describe` get by `fetch` with the OpenAPI document of the surface: its status,
 * its media type, and the code of a refusal. Unknown paths, and methods that a path does not take, are not operations. Fails after the
 * suite, and when it saw no answer.
 */
export function expectDeclaredAnswers(surface: keyof typeof SURFACE_DOCUMENTS): void {
  const { fetch } = globalThis;
  const document = JSON.parse(JSON.stringify(SURFACE_DOCUMENTS[surface]())) as Document;
  const undeclared = new Set<string>();
  let seen = 0;
  before(() => {
    globalThis.fetch = async (input, init) => {
      const response = await fetch(input, init);
      const fault = await faultOf(
        document,
        input instanceof Request ? input.url : String(input),
        init?.method ?? "GET",
        response.clone(),
      );
      if (fault !== undefined) undeclared.add(fault);
      seen += 1;
      return response;
    };
  });
  after(() => {
    globalThis.fetch = fetch;
    assert.ok(seen > 0, "no answer was seen");
    assert.deepEqual([...undeclared], []);
  });
}

async function faultOf(
  { paths }: Document,
  url: string,
  method: string,
  response: Response,
): Promise<string | undefined> {
  const { pathname } = new URL(url);
  const responses = paths[pathname]?.[method.toLowerCase()]?.responses;
  if (responses === undefined) return undefined;
  const { status } = response;
  const where = `${method} ${pathname}: ${status}`;
  const answer = responses[String(status)] ?? responses["default"];
  if (answer === undefined) return where;
  const type = response.headers.get("content-type");
  const types = Object.keys(answer.content ?? {}).map((each) => each.split(";")[0]);
  if (type !== null && !types.includes(type.split(";")[0])) return `${where} ${type}`;
  if (status < 400) return undefined;
  const [code] = /PURSER_[A-Z_]+/.exec(await response.text().catch(() => "")) ?? [];
  const isKnown = code !== undefined && Object.hasOwn(ERROR_CATALOG, code);
  return isKnown && !answer.description.includes(code) ? `${where} ${code}` : undefined;
}
