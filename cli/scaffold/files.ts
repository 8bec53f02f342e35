// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { TEMPLATE_VARIETY, type TemplateName } from "../../core/templates/template-names.ts";
import type { OwnPackage } from "../version.ts";
import { identifierOf, inYaml, underscored } from "./names.ts";
import { fill, type ReadText } from "./texts.ts";

export interface Scaffold {
  readonly kind: "adapter" | "plugin";
  /** A DNS label. */
  readonly name: string;
  readonly templates: readonly TemplateName[];
  readonly ownPackage: OwnPackage;
  /** The dependency on Purser, as package.json writes it; undefined for the folder of this Purser. */
  readonly purser: string | undefined;
}

/** The files of a new extension, by path. */
export function scaffoldFiles(scaffold: Scaffold, read: ReadText): ReadonlyMap<string, string> {
  const { kind, name, templates } = scaffold;
  const values = { ...valuesOf(scaffold), ...codeOf(scaffold, read) };
  const text = (path: string) => fill(read(path), values);
  const source = kind === "adapter" ? "index" : templates.length === 0 ? "attributes" : "checks";
  const uses = templates.length === 0 ? ["attributes"] : templates;
  return new Map([
    ["package.json", text("package.json")],
    ["tsconfig.json", text("tsconfig.json")],
    [".gitignore", text("gitignore")],
    ["README.md", text("README.md")],
    ["src/index.ts", text(`${kind}/${source}.ts`)],
    ["src/index.test.ts", text(`${kind}/index.test.ts`)],
    [
      `documents/${name}.yaml`,
      text(`documents/${kind}.yaml`) + uses.map((use) => text(`documents/${use}`)).join(""),
    ],
  ]);
}

function valuesOf({ kind, name, ownPackage, purser }: Scaffold): Readonly<Record<string, string>> {
  // npm reads the rest of `file:` as a path, whatever its characters.
  const folder = ownPackage.folder.replace(/[\\/]$/, "").replaceAll("\\", "/");
  return {
    ...ownPackage.devDependencies,
    kind,
    name,
    article: kind === "adapter" ? "An" : "A",
    identifier: identifierOf(name, kind),
    attribute: `plugin.${underscored(name)}`,
    metric: underscored(name),
    yamlName: inYaml(name),
    node: ownPackage.engines.node,
    purser: JSON.stringify(purser ?? `file:${folder}`),
    purserPlace: purser === undefined ? `its folder, \`${folder}\`` : `\`${purser}\``,
    purserDocs: purser === undefined ? `${folder}/README.md` : "node_modules/purser/README.md",
  };
}

/** The parts of the source that depend on the templates. */
function codeOf({ kind, name, templates }: Scaffold, read: ReadText): Readonly<Record<string, string>> {
  const varieties = new Set(templates.map((template) => TEMPLATE_VARIETY[template]));
  const imports = [
    "defineAdapter",
    "SecretField",
    "Type",
    ...(varieties.has("check") ? ["httpFailure", "OK"] : []),
    ...(varieties.has("quota") ? ["isPurserError", "messageOf", "PurserError", "type QuotaGrant"] : []),
  ];
  const functions = templates.map((template) => {
    const part = kind === "plugin" ? "plugin/check" : `adapter/${TEMPLATE_VARIETY[template]}`;
    return fill(read(part), { template, name });
  });
  return {
    templates: templates.map((template) => JSON.stringify(template)).join(", "),
    imports: imports.join(", "),
    context: varieties.has("check") ? "config, http, clock" : "config, http",
    functions: functions.join("").trimEnd(),
  };
}
