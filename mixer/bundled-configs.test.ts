// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { TSchema } from "typebox";
import Value from "typebox/value";
import { BUNDLED_ADAPTERS } from "../adapters/inventory.ts";
import type { SchemaView } from "../core/documents/schema/form.ts";
import type { Extension } from "../core/hooks/extension.ts";
import { BUNDLED_PLUGINS } from "../plugins/inventory.ts";
import { fillConfig } from "../plugins/sdk/config.ts";
import { createRealTime, createTestContext } from "../plugins/sdk/testing/index.ts";

/** Texts that one extension accepts and another refuses. */
const TEXTS = [
  "a",
  "x-user",
  "x user",
  "host",
  "Content-Length",
  ":path",
  "a\r\nb: c",
  "",
  "\ud800",
  "x".repeat(9_000),
  "10.0.0.0/8",
  "10.0.0.0/33",
  "::1",
  "(a",
  "(?=a)b",
  "a[b",
  "[a-",
  "*",
  "**{a,b}",
  "redis://127.0.0.1",
  "redis://:a%b@h",
  "redis://h?x=y",
  "unix:///tmp/r.sock",
  "rediss://u@h",
  "redis://h:0",
  "0s",
  "0ms",
  "1ms",
  "10s",
  "request.headers.x-a",
  "request.headers.*",
  "purser:{q}:",
  "m_",
  "9",
  "127.0.0.1:9092",
  "http://127.0.0.1/",
  "https://u@h/?q",
  "variables.user",
  "0640",
  "custom.googleapis.com/purser/",
  "generic_task",
];

/** Configurations that match a schema: each field absent, or a value of its type. */
function configsOf(schema: TSchema): fc.Arbitrary<unknown> {
  const {
    anyOf,
    const: word,
    enum: words,
    type,
    items,
    properties,
    required = [],
    patternProperties,
    minimum,
    maximum,
  } = schema as SchemaView;
  if (word !== undefined) return fc.constant(word);
  if (words !== undefined) return fc.constantFrom(...words);
  if (anyOf !== undefined) return fc.oneof(...anyOf.map(configsOf));
  if (properties !== undefined)
    return fc.record(
      Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, configsOf(field)])),
      // Absent required fields are faults of the schema, which other tests find.
      { requiredKeys: [...required] },
    );
  if (items !== undefined) return fc.array(configsOf(items), { maxLength: 3 });
  const [values] = Object.values(patternProperties ?? {});
  if (values !== undefined)
    return fc.dictionary(fc.constantFrom(...TEXTS), configsOf(values), { maxKeys: 2 });
  if (type === "boolean") return fc.boolean();
  if (type === "integer") return fc.integer({ min: minimum ?? 0, max: Math.min(maximum ?? 1_000, 100_000) });
  if (type === "number") return fc.double({ min: minimum ?? 0, max: maximum ?? 1_000, noNaN: true });
  const fitting = TEXTS.filter((text) => Value.Check(schema, text));
  return fc.constantFrom(...(fitting.length > 0 ? fitting : ["no such text"]));
}

/** Builds the extension as the host does at the start of `run`; returns the error of a refusal. */
async function refusalOf(definition: Extension, config: Record<string, unknown>): Promise<unknown> {
  const time = createRealTime();
  try {
    const context = createTestContext(definition as Extension & { readonly extension: "adapter" }, config, {
      time,
    });
    const handler = definition.build(context);
    await handler.close();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    time.cancelAll();
  }
}

describe("the configurations of bundled extensions", () => {
  for (const definition of [...BUNDLED_ADAPTERS, ...BUNDLED_PLUGINS] as readonly Extension[]) {
    it(`${definition.name}: a configuration builds if and only if it passes the check`, async () => {
      await fc.assert(
        fc.asyncProperty(configsOf(definition.config), async (written) => {
          const { config, faults } = fillConfig(definition.config, written);
          fc.pre(faults.length === 0);
          const wrong = definition.check?.(config) ?? [];
          const refusal = await refusalOf(definition, written as Record<string, unknown>);
          assert.equal(
            refusal !== undefined,
            wrong.length > 0,
            `${JSON.stringify(written)}: ${String(refusal)}`,
          );
          for (const { path } of wrong)
            assert.notEqual(
              valueAt(config, path.slice(0, -1)),
              undefined,
              `no such place: ${path.join(".")}`,
            );
        }),
        { numRuns: 200 },
      );
    });
  }
});

function valueAt(config: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Record<string, unknown> | undefined)?.[step],
    config,
  );
}
