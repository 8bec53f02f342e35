// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import Value from "typebox/value";
import { viewOf } from "../core/documents/schema/form.ts";
import { BUNDLED_PLUGINS } from "../plugins/inventory.ts";
import type { AdapterDefinition, PluginDefinition } from "../plugins/sdk/index.ts";
import { fillConfig } from "../plugins/sdk/config.ts";
import { createTestContext } from "../plugins/sdk/testing/index.ts";
import { BUNDLED_ADAPTERS } from "./inventory.ts";

/** Texts that a field of any meaning may be given by mistake. */
const ODD_TEXTS = [
  ..."| |\u0000|a|ä|💥|\ud800|%|%zz|..|/|//|:|[|(|*|**|$|{{|\n|../../x|C:\\x|a b|a\tb|*.example.com|1e309".split(
    "|",
  ),
  ..."http://|https://|http://a|http://a:0|http://a:99999|http://[::1|https://[::1]:1/x?y#z|http://u:p@a/|ftp://a".split(
    "|",
  ),
  ..."redis://a|rediss://a/99|redis://:p@[::1]:1|unix:///x|localhost|localhost:1|a:b|:1|a:|a:1,b|[::1]:1|1.2.3.4".split(
    "|",
  ),
  ..."10.0.0.0/8|10.0.0.0/99|::/0|2001:db8::/129|1s|0s|1h|GET /|/a/*|x-y|X Y|-----BEGIN CERTIFICATE-----".split(
    "|",
  ),
  "x".repeat(5_000),
];

type Json = Readonly<Record<string, unknown>>;

/** A configuration of each extension that needs one; the property changes some of its fields. */
const GOOD: Readonly<Record<string, Json>> = {
  "decision-log": { path: "/tmp/x.jsonl" },
  file: { path: "/tmp/x.jsonl" },
  kafka: { brokers: ["localhost:9092"] },
  loki: { url: "http://localhost:3100" },
  opa: { path: "mesh/allow" },
  rbac: { roles: {}, bindings: [] },
  "redis-quota": { url: "redis://localhost" },
  stackdriver: { project: "my-project" },
  webhook: { url: "https://localhost/" },
  zipkin: { url: "http://localhost:9411" },
  list: { entries: ["a"] },
};

/** Values of a schema, mostly; the property leaves out those that the schema refuses. */
function valuesOf(schema: object): fc.Arbitrary<unknown> {
  const view = viewOf(schema as never);
  const { anyOf, items, properties, patternProperties, pattern, required = [] } = view;
  if (anyOf !== undefined) return fc.oneof(...anyOf.map(valuesOf));
  if (view.enum !== undefined) return fc.constantFrom(...view.enum);
  if (view.const !== undefined) return fc.constant(view.const);
  switch (view.type) {
    case "boolean":
      return fc.boolean();
    case "integer":
    case "number": {
      const { minimum = -5, maximum = 1e9 } = view;
      return fc.oneof(
        fc.constantFrom(minimum, maximum),
        fc.integer({ min: Math.ceil(minimum), max: Math.floor(maximum) }),
      );
    }
    case "array":
      return fc.array(items === undefined ? fc.anything() : valuesOf(items), {
        minLength: view.minItems ?? 0,
        maxLength: 4,
      });
    case "object": {
      const [entry] = Object.values(patternProperties ?? {});
      if (entry !== undefined) return fc.dictionary(texts(undefined), valuesOf(entry), { maxKeys: 3 });
      const fields = Object.entries(properties ?? {}).map(([name, each]) => [name, valuesOf(each)] as const);
      const needed = required.filter((name) => !Object.hasOwn(properties?.[name] ?? {}, "default"));
      return fc.record(Object.fromEntries(fields), { requiredKeys: needed, noNullPrototype: true });
    }
    default:
      return texts(pattern);
  }
}

/** A good configuration with at most two fields changed. */
function nearlyGood({ name, config }: AdapterDefinition | PluginDefinition): fc.Arbitrary<Json> {
  const fields = Object.entries(viewOf(config).properties ?? {}).map(([field, schema]) =>
    valuesOf(schema).map((value): Json => ({ [field]: value })),
  );
  const changes = fields.length === 0 ? fc.constant([]) : fc.array(fc.oneof(...fields), { maxLength: 2 });
  return changes.map((changed) => Object.assign({}, GOOD[name], ...changed) as Json);
}

function texts(pattern: string | undefined): fc.Arbitrary<string> {
  const odd = fc.oneof(fc.constantFrom(...ODD_TEXTS), fc.string({ maxLength: 8 }));
  if (pattern === undefined) return odd;
  try {
    return fc.oneof(odd, fc.stringMatching(new RegExp(pattern)));
  } catch {
    // fast-check does not make texts for every pattern.
    return odd;
  }
}

describe("the bundled extensions' checks of configurations", () => {
  const extensions: readonly (AdapterDefinition | PluginDefinition)[] = [
    ...BUNDLED_ADAPTERS,
    ...BUNDLED_PLUGINS,
  ];
  for (const definition of extensions)
    it(`find every fault that would make the build of ${definition.name} fail`, async function () {
      this.timeout(60_000);
      let built = 0;
      await fc.assert(
        fc.asyncProperty(nearlyGood(definition), async (config) => {
          const filled = fillConfig(definition.config, Value.Clone(config));
          if (filled.faults.length > 0) return;
          if ((definition.check?.(filled.config) ?? []).length > 0) return;
          const context = createTestContext(definition, config);
          const handler = definition.build(context);
          built += 1;
          await handler.close();
          await context.http.close();
        }),
        { numRuns: 500 },
      );
      assert.ok(built > 50, `only ${built} configurations were built`);
    });
});
