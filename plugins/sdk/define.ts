// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static, type TSchema } from "typebox";
import Value from "typebox/value";
import {
  type AdapterDefinition,
  type AdapterHandler,
  type ConfigFault,
  type ExtensionContext,
  type PluginDefinition,
  type PluginHandler,
} from "../../core/hooks/extension.ts";
import { TEMPLATE_NAMES, TEMPLATE_VARIETY, type TemplateName } from "../../core/templates/template-names.ts";
import { isDnsLabel } from "../../kernel/dns-label.ts";
import { PurserError } from "../../kernel/errors.ts";
import { suggest } from "../../kernel/suggest.ts";
import { fillConfig } from "./config.ts";

/** An author's definition of an adapter, from which `defineAdapter` builds an AdapterDefinition. */
export interface AdapterDraft<S extends TSchema> {
  /**
   * A DNS label: lower-case letters, digits and `-`, at most 63. A Handler document's `adapter` refers to it.
   */
  readonly name: string;
  /** One sentence for documentation and error messages. */
  readonly description: string;
  /** The templates it implements, at least one; the handler has a function for each. */
  readonly templates: readonly TemplateName[];
  /** Whether instances must arrive in order; default true. See AdapterDefinition. */
  readonly ordered?: boolean;
  /** Whether handlers begin nothing asynchronous but by their context; default false. See AdapterDefinition. */
  readonly confined?: boolean;
  /**
   * A `Type.Object` of the configuration: descriptions with units, and a `default` for every field that has a
   * sensible one. Its objects are closed (unknown keys are refused) unless a nested object states
   * `additionalProperties` itself.
   */
  readonly config: S;
  /**
   * Faults of a configuration that satisfies the schema, such as two fields that exclude each other; default
   * none. Must be pure: no I/O. `build` is never given a configuration with such a fault.
   */
  check?(config: Static<S>): readonly ConfigFault[];
  /** Builds a handler; see AdapterDefinition. `context.config` is checked and has its defaults. */
  build(context: ExtensionContext<Static<S>>): AdapterHandler;
}

/** An author's definition of a plugin, from which `definePlugin` builds a PluginDefinition. */
export interface PluginDraft<S extends TSchema> {
  /** A DNS label; a Handler document's `plugin` refers to it. */
  readonly name: string;
  readonly description: string;
  /** The check templates whose instances the plugin answers; default none. */
  readonly templates?: readonly TemplateName[];
  readonly config: S;
  /** Faults of a configuration that satisfies the schema; see AdapterDraft. */
  check?(config: Static<S>): readonly ConfigFault[];
  /** The attributes that the plugin adds, by dotted name. */
  readonly provides?: PluginDefinition["provides"];
  build(context: ExtensionContext<Static<S>>): PluginHandler;
}

/**
 * Defines an adapter for the inventory or for a Handler document's `from`.
 *
 * @throws TypeError when the draft is invalid: that is the author's mistake, and it shows when the module is
 *   loaded.
 */
export function defineAdapter<S extends TSchema>(draft: AdapterDraft<S>): AdapterDefinition<Static<S>> {
  const fail = failure("defineAdapter", draft.name);
  checkCommon(draft, draft.templates, fail);
  if (draft.templates.length === 0) fail("templates is empty: an adapter implements at least one template.");
  return Object.freeze({
    extension: "adapter",
    name: draft.name,
    description: draft.description,
    templates: Object.freeze([...draft.templates]),
    ...(draft.ordered === undefined ? {} : { ordered: draft.ordered }),
    ...(draft.confined === undefined ? {} : { confined: draft.confined }),
    config: closedConfig(draft.config, fail),
    ...checked<Static<S>, AdapterHandler>(draft),
  });
}

/**
 * Defines a plugin for the inventory or for a Handler document's `from`.
 *
 * @throws TypeError when the draft is invalid.
 */
export function definePlugin<S extends TSchema>(draft: PluginDraft<S>): PluginDefinition<Static<S>> {
  const fail = failure("definePlugin", draft.name);
  const templates = draft.templates ?? [];
  checkCommon(draft, templates, fail);
  for (const template of templates) {
    if (TEMPLATE_VARIETY[template] !== "check") {
      fail(`template "${template}" is not a check template; implement it in an adapter.`);
    }
  }
  return Object.freeze({
    extension: "plugin",
    name: draft.name,
    description: draft.description,
    templates: Object.freeze([...templates]),
    config: closedConfig(draft.config, fail),
    ...(draft.provides === undefined ? {} : { provides: draft.provides }),
    ...checked<Static<S>, PluginHandler>(draft),
  });
}

/**
 * Wraps `build` in `check`: a test or host that skips the check must not build a refused configuration. A definition has no `check`
 * when its draft has none, so that `purser validate` can say that the configuration was checked by its schema alone.
 */
function checked<Config, Handler>(draft: {
  check?(config: Config): readonly ConfigFault[];
  build(context: ExtensionContext<Config>): Handler;
}) {
  if (draft.check === undefined)
    return { build: (context: ExtensionContext<Config>) => draft.build(context) };
  const check = (config: Config): readonly ConfigFault[] => draft.check?.(config) ?? [];
  return {
    check,
    build(context: ExtensionContext<Config>): Handler {
      const faults = check(context.config);
      if (faults.length === 0) return draft.build(context);
      const messages = faults.map(({ path, message }) => `${placeOf(path)}${message}`);
      throw new PurserError("PURSER_HANDLER_BUILD", messages.join("; "));
    },
  };
}

/** The path `["request", 0]` as the prefix `request[0]: `; empty for the whole configuration. */
function placeOf(path: ConfigFault["path"]): string {
  const steps = path.map((step) =>
    typeof step === "string" && /^[A-Za-z]\w*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`,
  );
  return path.length === 0 ? "" : `${steps.join("").replace(/^\./, "")}: `;
}

type Fail = (problem: string) => never;

function failure(maker: string, name: unknown): Fail {
  return (problem) => {
    throw new TypeError(`${maker}(${JSON.stringify(name)}): ${problem}`);
  };
}

function checkCommon(
  draft: {
    readonly name: unknown;
    readonly description: unknown;
    readonly build: unknown;
    readonly check?: unknown;
  },
  templates: readonly string[],
  fail: Fail,
): void {
  if (typeof draft.name !== "string" || !isDnsLabel(draft.name)) {
    fail('name must be a DNS label: lower-case letters, digits and "-", at most 63, such as "my-backend".');
  }
  if (typeof draft.description !== "string" || draft.description.trim() === "") {
    fail("description is empty: write one sentence.");
  }
  if (typeof draft.build !== "function") fail("build must be a function.");
  if (draft.check !== undefined && typeof draft.check !== "function") fail("check must be a function.");
  for (const template of templates) {
    if ((TEMPLATE_NAMES as readonly string[]).includes(template)) continue;
    const near = suggest(template, TEMPLATE_NAMES);
    fail(`unknown template "${template}"${near === undefined ? "" : ` (did you mean "${near}"?)`}.`);
  }
  if (new Set(templates).size !== templates.length) fail("templates has a duplicate.");
}

/** Closes the schema's objects, and checks that its own defaults satisfy it. */
function closedConfig<S extends TSchema>(schema: S, fail: Fail): S {
  if (!Type.IsObject(schema)) fail("config must be a Type.Object.");
  const open = (schema as { readonly additionalProperties?: unknown }).additionalProperties;
  if (open !== undefined && open !== false) {
    fail("config may not allow additional properties: a mistyped key must be found.");
  }
  const closed = closeObjects(schema) as S;
  // Fields without a default must be given by the user; every default must be valid.
  const faults = fillConfig(closed, {}).faults.filter((fault) => fault.kind !== "missing");
  if (faults.length > 0)
    fail(`the schema refuses its own defaults: ${faults.map((f) => f.message).join("; ")}.`);
  checkDefaults(closed, "config", fail);
  return closed;
}

/** A deep copy in which every object schema refuses unknown keys; keeps TypeBox's hidden properties. */
function closeObjects(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closeObjects);
  if (typeof node !== "object" || node === null || node instanceof RegExp) return node;
  const copy = Object.create(Object.getPrototypeOf(node) as object | null) as Record<string, unknown>;
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(node))) {
    const value: unknown = descriptor.value;
    // `default`, `enum` and `const` hold values, not schemas.
    const keep = key === "default" || key === "enum" || key === "const" || key.startsWith("~");
    Object.defineProperty(copy, key, { ...descriptor, value: keep ? value : closeObjects(value) });
  }
  if (Type.IsObject(copy) && copy["additionalProperties"] === undefined) copy["additionalProperties"] = false;
  return copy;
}

/** Checks defaults within optional parts too, which are absent from the default configuration. */
function checkDefaults(schema: TSchema, path: string, fail: Fail): void {
  const { default: value, properties = {} } = schema as {
    readonly default?: unknown;
    readonly properties?: Readonly<Record<string, TSchema>>;
  };
  if (value !== undefined && !Value.Check(schema, Value.Default(schema, structuredClone(value)))) {
    fail(`the default of ${path}, ${JSON.stringify(value)}, does not satisfy its own schema.`);
  }
  for (const [key, part] of Object.entries(properties)) checkDefaults(part, `${path}.${key}`, fail);
}
