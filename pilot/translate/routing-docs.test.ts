// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DESTINATION_RULE } from "../../core/documents/kinds/destination-rule.ts";
import { GATEWAY } from "../../core/documents/kinds/gateway.ts";
import { REQUEST_AUTHENTICATION } from "../../core/documents/kinds/request-authentication.ts";
import { SERVICE_ENTRY } from "../../core/documents/kinds/service-entry.ts";
import { SIDECAR } from "../../core/documents/kinds/sidecar.ts";
import { VIRTUAL_SERVICE } from "../../core/documents/kinds/virtual-service.ts";
import { WORKLOAD_ENTRY } from "../../core/documents/kinds/workload-entry.ts";

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/** The paths of all scalar values in a schema. */
function leaves(schema: JsonSchema, path: string): readonly string[] {
  if (schema.items !== undefined) return leaves(schema.items, `${path}[]`);
  const entries = [
    ...Object.entries(schema.properties ?? {}),
    ...Object.values(schema.patternProperties ?? {}).map((entry) => ["*", entry] as const),
  ];
  if (entries.length === 0) return [path];
  return entries.flatMap(([name, entry]) => leaves(entry, path === "" ? name : `${path}.${name}`));
}

/** Brace expansion: `a.{b,c}.{d,e}` is four paths. */
function expand(path: string): readonly string[] {
  const [whole, choices] = /\{([^}]*)\}/.exec(path) ?? [];
  if (whole === undefined || choices === undefined) return [path];
  return choices.split(",").flatMap((choice) => expand(path.replace(whole, choice)));
}

const pageOf = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");

const page = pageOf("reference/routing.md");

describe("docs/reference/routing.md", () => {
  for (const { kind, spec } of [
    SERVICE_ENTRY,
    VIRTUAL_SERVICE,
    DESTINATION_RULE,
    GATEWAY,
    SIDECAR,
    WORKLOAD_ENTRY,
  ]) {
    it(`lists exactly the fields of a ${kind}`, () => {
      const section = page.split(/^## /m).find((part) => part.startsWith(`${kind}\n`));
      assert.ok(section !== undefined);
      const all = leaves(spec as JsonSchema, "");
      const written = [...section.matchAll(/^\| `([^`]+)` \|/gm)].flatMap(([, path]) =>
        expand(path as string),
      );
      const alone = written.filter((path) => !path.endsWith(".**"));
      // `PATH.**` is every other field below the path.
      const below = written
        .filter((path) => path.endsWith(".**"))
        .flatMap((path) => all.filter((leaf) => leaf.startsWith(path.slice(0, -2)) && !alone.includes(leaf)));
      assert.deepEqual([...alone, ...new Set(below)].toSorted(), all.toSorted());
    });
  }
});

describe("docs/guides/security.md", () => {
  it("lists exactly the fields of a RequestAuthentication", () => {
    const section = pageOf("guides/security.md")
      .split(/^### /m)
      .find((part) => part.startsWith("RequestAuthentication\n"));
    assert.ok(section !== undefined);
    const documented = [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, path]) => path as string);
    const { spec } = REQUEST_AUTHENTICATION;
    assert.deepEqual(documented.toSorted(), leaves(spec as JsonSchema, "").toSorted());
  });
});
