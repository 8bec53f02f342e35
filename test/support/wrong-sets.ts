// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "./documentation.ts";

/** Contents, or targets of links, by their paths. */
export type SetFiles = Readonly<Record<string, string | Uint8Array | { readonly link: string }>>;

/** A set of documents that Purser refuses. */
export interface WrongSet {
  readonly name: string;
  readonly files: SetFiles;
  /** The paths that a command is given; default: the folder. */
  readonly paths?: readonly string[];
  /** Further flags of the command. */
  readonly flags?: readonly string[];
  /** The codes of all diagnostics, in their order; `warning CODE` for a warning. */
  readonly codes: readonly string[];
}

/** Writes the files of a set into a folder. */
export function writeSet(folder: string, files: SetFiles): void {
  for (const [name, content] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof content === "object" && "link" in content) symlinkSync(content.link, file);
    else writeFileSync(file, content);
  }
}

const VALUE = "PURSER_DOC_INVALID_VALUE";
const FIELD = "PURSER_DOC_UNKNOWN_FIELD";
const MISSING = "PURSER_DOC_MISSING_FIELD";

function document(kind: string, name: string, spec: string): string {
  return `apiVersion: purser.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n---\n`;
}

function policy(when: string, name = "p"): string {
  return document("AccessPolicy", name, `{ action: DENY, when: '${when}' }`);
}

const GOOD = policy('request.method = "DELETE"', "good");

/** Wrong configurations of bundled extensions: the extension, its configuration and the codes. */
const CONFIGS: readonly (readonly [string, string, ...string[]])[] = [
  ["adapter: decision-log", "{ path: a, hash: [request.headers.x-a] }", VALUE],
  ["adapter: decision-log", "{}", MISSING],
  ["adapter: file", "{ path: '' }", VALUE],
  ["adapter: file", "{ path: a, paht: b }", FIELD],
  ["adapter: fluentd", "{ address: 'a:99999' }", FIELD],
  ["adapter: kafka", "{ brokers: ['kafka:0'] }", VALUE],
  [
    "adapter: kafka",
    "{ brokers: ['kafka:9092'], topic: '{kind}', acks: leader, idempotent: true }",
    VALUE,
    VALUE,
  ],
  ["adapter: kafka", "{ brokers: ['kafka:9092'], requestTimeout: 0s }", VALUE],
  ["adapter: loki", "{ url: 'ftp://a' }", VALUE],
  ["adapter: memory-quota", "{ size: 1 }", FIELD],
  ["adapter: opa", "{ path: '' }", VALUE],
  ["adapter: opentelemetry", "{ url: 3 }", FIELD],
  ["adapter: prometheus", "{ expireAfter: 0s }", VALUE],
  ["adapter: rbac", "{ roles: {}, bindings: [{ role: nobody, subjects: [] }] }", VALUE],
  ["adapter: redis-quota", '{ url: "redis://127.0.0.1", port: 5 }', VALUE],
  ["adapter: redis-quota", '{ url: "redis://:a%b@127.0.0.1" }', VALUE],
  ["adapter: stackdriver", "{}", MISSING],
  ["adapter: statsd", "{ address: '' }", FIELD],
  ["adapter: stdout", "{ format: yaml }", VALUE],
  ["adapter: webhook", "{ url: 'a b' }", VALUE],
  ["adapter: zipkin", "{ url: 'x' }", VALUE],
  ["plugin: deny", '{ directResponse: { code: 403, headers: { "x y": a } } }', VALUE],
  ["plugin: header-operations", "{ request: [{ operation: set, name: host, value: a }] }", VALUE],
  ["plugin: list", "{ type: cidr, entries: [10.0.0.0/33, a] }", VALUE, VALUE],
];

const SDK = pathToFileURL(`${ROOT}/plugins/sdk/index.ts`).href;

/** A module with an adapter whose check is this expression of `config`; of no check when it is empty. */
export function adapterModule(
  check: string,
  build = "build: () => ({ logentry() {}, close() {} }),",
): string {
  return `import { defineAdapter, Type } from "${SDK}";
export const mine = defineAdapter({
  name: "mine", description: "An adapter.", templates: ["logentry"],
  config: Type.Object({ size: Type.Integer({ default: 1 }) }),
  ${check === "" ? "" : `check: (config) => ${check},`}
  ${build}
});
`;
}

/** A Handler of the adapter in such a module. */
export function mineOf(from: string, config = "{}"): string {
  return document("Handler", "h", `{ adapter: mine, from: ${from}, config: ${config} }`);
}

/** Wrong documents of one file each: a name, the text and the codes. */
const FILES: readonly (readonly [string, string, ...string[]])[] = [
  ["YAML that does not end", "a: [1, 2\nb: {", "PURSER_DOC_SYNTAX", "PURSER_DOC_SYNTAX"],
  ["a tab in YAML", "kind:\n\tx: 1\n", "PURSER_DOC_SYNTAX"],
  [
    "a key that is given twice",
    policy("true").replace("action:", "action: DENY, action:"),
    "PURSER_DOC_SYNTAX",
  ],
  ["a document that is a list", "- a\n- b\n", "PURSER_DOC_ENVELOPE"],
  ["an unknown kind", document("AccessPolcy", "a", "{}"), "PURSER_DOC_UNKNOWN_KIND"],
  ["an unknown field", document("AccessPolicy", "a", "{ action: DENY, wen: true }"), FIELD],
  [
    "a name that is given twice",
    policy('request.method = "A"') + policy('request.method = "B"'),
    "PURSER_DOC_DUPLICATE",
  ],
  ["an unknown attribute", policy('requst.method = "GET"'), "PURSER_EXPR_UNKNOWN_ATTRIBUTE"],
  ["an expression that does not end", policy('request.method = "GET'), "PURSER_EXPR_SYNTAX"],
  ["a condition of the wrong type", policy("request.size"), "PURSER_EXPR_CONDITION"],
  ["an attribute of the response in a check", policy("response.code = 200"), "PURSER_EXPR_PHASE"],
  [
    "a store that does not exist",
    document("QuotaPolicy", "q", "{ limit: 1, window: 1s, store: rediss }"),
    "PURSER_REF_UNKNOWN",
  ],
  [
    "a handler that does not exist",
    document("LogEntry", "l", "{ variables: {}, handlers: [nobody] }"),
    "PURSER_REF_UNKNOWN",
  ],
  ["an adapter that does not exist", document("Handler", "h", "{ adapter: stdot }"), "PURSER_REF_UNKNOWN"],
  ["a plugin that is an adapter", document("Handler", "h", "{ plugin: stdout }"), "PURSER_REF_UNSUITABLE"],
  ["a window of no time", document("QuotaPolicy", "q", "{ limit: 1, window: 0s }"), VALUE],
  ["a module that does not exist", mineOf("./nowhere.mjs"), "PURSER_EXTENSION_LOAD"],
  [
    "an error and a warning",
    policy('request.headers."x-user" != "bob"', "a") + policy("request.size", "b"),
    "warning PURSER_EXPR_ABSENT",
    "PURSER_EXPR_CONDITION",
  ],
  [
    "attributes alone",
    document("AttributeManifest", "m", "{ attributes: { my.own: { type: STRING } } }"),
    "PURSER_CONFIG_EMPTY",
  ],
  ["comments alone", "# nothing\n---\n", "PURSER_CONFIG_EMPTY"],
];

/** Wrong sets of every sort: configurations of extensions, modules, references, expressions, YAML and files. */
export function wrongSets(): readonly WrongSet[] {
  const handler = (extension: string, config: string) =>
    document("Handler", "h", `{ ${extension}, config: ${config} }`);
  const modules = (check: string, config: string, ...codes: readonly string[]): WrongSet => ({
    name: `a module's check ${check} of ${config}`,
    files: { "a.yaml": mineOf("./mine.mjs", config), "mine.mjs": adapterModule(check) },
    codes,
  });
  return [
    ...CONFIGS.map(([extension, config, ...codes]) => ({
      name: `${extension} with ${config}`,
      files: { "a.yaml": handler(extension, config) },
      codes,
    })),
    ...FILES.map(([name, text, ...codes]) => ({ name, files: { "a.yaml": text }, codes })),
    modules('[{ path: ["size"], message: "is wrong", suggestion: "2" }]', "{ size: 3 }", VALUE),
    modules('{ throw new Error("broken"); }', "{}", "PURSER_HANDLER_BUILD"),
    modules("", "{ sise: 3 }", FIELD),
    {
      name: "a module that throws",
      files: { "a.yaml": mineOf("./m.mjs"), "m.mjs": 'throw new Error("no");' },
      codes: ["PURSER_EXTENSION_LOAD"],
    },
    {
      name: "a module without an extension",
      files: { "a.yaml": mineOf("./m.mjs"), "m.mjs": "export {};" },
      codes: ["PURSER_EXTENSION_LOAD"],
    },
    { name: "an empty folder", files: {}, codes: ["PURSER_CONFIG_EMPTY"] },
    {
      name: "two folders of which one is empty, with a warning in the other",
      files: { "p/a.yaml": policy('request.headers."x-user" != "bob"'), "q/a.txt": "" },
      paths: ["p", "q"],
      codes: ["PURSER_CONFIG_EMPTY", "warning PURSER_EXPR_ABSENT"],
    },
    {
      name: "a folder that is not there",
      files: { "a.yaml": GOOD },
      paths: [".", "nowhere"],
      codes: ["PURSER_DOC_UNREADABLE"],
    },
    {
      name: "a link that leads nowhere",
      files: { "a.yaml": GOOD, "b.yaml": { link: "nowhere.yaml" } },
      codes: ["PURSER_DOC_UNREADABLE"],
    },
    {
      name: "a file that is too large",
      files: { "a.yaml": GOOD, "b.yaml": { link: process.execPath } },
      codes: ["PURSER_DOC_TOO_LARGE"],
    },
    {
      name: "a file that is not UTF-8 text",
      files: { "a.yaml": GOOD, "b.yaml": Buffer.from("kind: \xff", "latin1") },
      codes: ["PURSER_DOC_UNREADABLE"],
    },
    {
      name: "several files with faults",
      files: {
        "b.yaml": policy("request.size", "b"),
        "a.yaml": policy('requst.method = "GET"', "a"),
        "c.yaml": "[",
      },
      codes: ["PURSER_EXPR_CONDITION", "PURSER_DOC_SYNTAX"],
    },
    {
      name: "another program's document",
      files: { "a.yaml": `${GOOD}apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d }\nspec: {}\n` },
      codes: ["PURSER_DOC_UNKNOWN_KIND"],
    },
    {
      name: "a skipped document beside a fault",
      files: {
        "a.yaml": `${policy("request.size")}apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d }\nspec: {}\n`,
      },
      flags: ["--skip-foreign"],
      codes: ["PURSER_EXPR_CONDITION", "note PURSER_DOC_SKIPPED"],
    },
  ];
}
