// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { defineAdapter, definePlugin, type TemplateName, Type } from "./index.ts";
import { fillConfig } from "./config.ts";

const draft = {
  name: "webhook",
  description: "Sends log entries to a URL.",
  templates: ["logentry"] as const,
  config: Type.Object({ url: Type.String(), timeoutMs: Type.Integer({ default: 1000, minimum: 1 }) }),
  build: () => ({ logentry() {}, close() {} }),
};

function kindsOf(
  definition: { readonly config: Parameters<typeof fillConfig>[0] },
  config: unknown,
): string[] {
  return fillConfig(definition.config, config).faults.map((fault) => fault.kind);
}

describe("defineAdapter", () => {
  it("returns a definition that a Handler document can name", () => {
    const webhook = defineAdapter(draft);
    assert.equal(webhook.extension, "adapter");
    assert.equal(webhook.name, "webhook");
    assert.deepEqual(webhook.templates, ["logentry"]);
    assert.ok(Object.isFrozen(webhook));
  });

  it("infers the type of the configuration from its schema", () => {
    defineAdapter({
      ...draft,
      build({ config }) {
        const url: string = config.url;
        // @ts-expect-error -- there is no such field
        void config.uri;
        return { logentry: () => void url, close() {} };
      },
    });
  });

  it("fills in defaults and leaves the written configuration unchanged", () => {
    const written = Object.freeze({ url: "http://127.0.0.1/" });
    const { config, faults } = fillConfig(defineAdapter(draft).config, written);
    assert.deepEqual(faults, []);
    assert.deepEqual(config, { url: "http://127.0.0.1/", timeoutMs: 1000 });
  });

  it("closes the configuration, including nested objects, and leaves the author's schema unchanged", () => {
    const tls = Type.Object({ ca: Type.Optional(Type.String()) });
    const open = Type.Object({
      tls: Type.Optional(tls),
      peers: Type.Array(Type.Object({ host: Type.String() })),
    });
    const adapter = defineAdapter({ ...draft, config: open, build: draft.build });
    assert.deepEqual(kindsOf(adapter, { peers: [] }), []);
    assert.deepEqual(kindsOf(adapter, { peers: [], tsl: {} }), ["unknown"]);
    assert.deepEqual(kindsOf(adapter, { peers: [], tls: { cert: "" } }), ["unknown"]);
    assert.deepEqual(kindsOf(adapter, { peers: [{ host: "a", prot: 1 }] }), ["unknown"]);
    assert.equal("additionalProperties" in tls, false);
  });

  it("keeps a nested object open when its schema says so", () => {
    const config = Type.Object({ labels: Type.Object({}, { additionalProperties: Type.String() }) });
    const adapter = defineAdapter({ ...draft, config, build: draft.build });
    assert.deepEqual(kindsOf(adapter, { labels: { any: "thing" } }), []);
    assert.deepEqual(kindsOf(adapter, { labels: { any: 1 } }), ["invalid"]);
  });

  const mistakes: readonly (readonly [string, object, RegExp])[] = [
    [
      "a name that is no DNS label",
      { name: "My_Adapter" },
      /defineAdapter\("My_Adapter"\): name must be a DNS label/,
    ],
    ["a name that is too long", { name: "a".repeat(64) }, /at most 63/],
    ["no description", { description: " " }, /description is empty/],
    ["no templates", { templates: [] }, /templates is empty/],
    [
      "an unknown template",
      { templates: ["logentrys"] },
      /unknown template "logentrys" \(did you mean "logentry"\?\)/,
    ],
    ["a template named twice", { templates: ["metric", "metric"] }, /has a duplicate/],
    ["a configuration that is no object", { config: Type.String() }, /config must be a Type\.Object/],
    [
      "a configuration that takes any key",
      { config: Type.Object({}, { additionalProperties: true }) },
      /may not allow additional properties/,
    ],
    [
      "a default that its own schema refuses",
      { config: Type.Object({ size: Type.Integer({ default: 0, minimum: 1 }) }) },
      /refuses its own defaults.*config\.size must be a whole number of at least 1/,
    ],
    [
      "such a default in a part that is absent by default",
      { config: Type.Object({ tls: Type.Optional(Type.Object({ port: Type.Integer({ default: 1.5 }) })) }) },
      /the default of config\.tls\.port, 1\.5/,
    ],
    ["no build function", { build: undefined }, /build must be a function/],
  ];
  for (const [what, changes, expected] of mistakes) {
    it(`refuses ${what} when the module is loaded`, () => {
      assert.throws(() => defineAdapter({ ...draft, ...changes } as typeof draft), {
        name: "TypeError",
        message: expected,
      });
    });
  }
});

describe("definePlugin", () => {
  const plugin = {
    name: "office-hours",
    description: "Refuses at night.",
    config: Type.Object({}),
    build: () => ({ apply() {}, close() {} }),
  };

  it("returns a definition, without templates by default", () => {
    const definition = definePlugin(plugin);
    assert.equal(definition.extension, "plugin");
    assert.deepEqual(definition.templates, []);
    assert.equal("provides" in definition, false);
  });

  it("keeps its provided attributes", () => {
    const provides = { "source.country": { type: "STRING" } };
    assert.deepEqual(definePlugin({ ...plugin, provides }).provides, provides);
  });

  it("refuses templates that are not for checks", () => {
    const templates: TemplateName[] = ["metric"];
    assert.throws(() => definePlugin({ ...plugin, templates }), /"metric" is not a check template/);
  });
});
