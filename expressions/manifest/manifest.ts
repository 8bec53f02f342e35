// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeManifestSpec, AttributeType, Phase } from "./manifest-spec.ts";
import { suggest } from "../../kernel/suggest.ts";
import type { DataPath } from "../data.ts";
import { type AttributeForm, faultOfForm, FORM_OF_TYPE } from "./forms.ts";

/** One attribute as a manifest declares it, with defaults filled in. */
export interface AttributeDeclaration {
  /** Dotted name, such as `request.headers`. */
  readonly name: string;
  readonly type: AttributeType;
  /** The canonical form of the values; absent when it is unknown. */
  readonly form?: AttributeForm;
  /** The only texts that the attribute can have; absent when the texts are open. */
  readonly values?: readonly string[];
  /** The unit of a number, such as `ms`. */
  readonly unit: string | undefined;
  readonly phase: Phase;
  /** Whether the attribute may be absent from a bag. */
  readonly optional: boolean;
  readonly description: string;
}

/** Result of looking up a path. */
type AttributeMatch =
  | { readonly kind: "attribute"; readonly declaration: AttributeDeclaration }
  /** A member of a STRING_MAP or of an ANY: `request.headers."x-user"`. */
  | { readonly kind: "member"; readonly declaration: AttributeDeclaration }
  /** A prefix of attributes: `request`, `destination.service`. */
  | { readonly kind: "group"; readonly members: readonly AttributeDeclaration[] };

/** The reason why a path may not be read. */
interface AttributeFault {
  readonly code: "PURSER_EXPR_UNKNOWN_ATTRIBUTE" | "PURSER_EXPR_PHASE";
  readonly message: string;
  /** The attribute that was probably meant, in the syntax of expressions. */
  readonly suggestion?: string;
}

/** A declaration that conflicts with another. */
interface ManifestFault {
  /** Index of the merged spec with the conflicting declaration. */
  readonly specIndex: number;
  /** The conflicting attribute: the key under `spec.attributes`. */
  readonly attribute: string;
  readonly message: string;
}

/** All attributes that expressions may name. */
export interface AttributeManifest {
  /** Declarations in the order of their names. */
  readonly declarations: readonly AttributeDeclaration[];
  /** The attribute, member or group at `path`; undefined when there is none. */
  lookup(path: DataPath): AttributeMatch | undefined;
  /**
   * The reason why an expression of `phase` may not read `path`; undefined when it may. The response phase
   * may read everything.
   */
  check(path: DataPath, phase: Phase): AttributeFault | undefined;
}

/**
 * Merges manifests into one, the built-in one first. Reports all faults at once; a conflicting declaration is
 * left out, so that the manifest can still check expressions.
 */
export function mergeManifests(specs: readonly AttributeManifestSpec[]): {
  readonly manifest: AttributeManifest;
  readonly faults: readonly ManifestFault[];
} {
  const root: Node = { declaration: undefined, children: new Map() };
  const faults: ManifestFault[] = [];
  specs.forEach((spec, specIndex) => {
    for (const [attribute, given] of Object.entries(spec.attributes)) {
      const form = given.form ?? FORM_OF_TYPE[given.type];
      const misformed = faultOfForm(given.type, given.form, given.values);
      if (misformed !== undefined)
        faults.push({ specIndex, attribute, message: `"${attribute}" ${misformed}` });
      const isFormed = misformed === undefined;
      const message = declare(root, {
        name: attribute,
        type: given.type,
        ...(isFormed && form !== undefined ? { form } : {}),
        ...(isFormed && given.values !== undefined ? { values: given.values } : {}),
        unit: given.unit,
        phase: given.phase ?? "request",
        optional: given.optional ?? true,
        description: given.description ?? "",
      });
      if (message !== undefined) faults.push({ specIndex, attribute, message });
    }
  });
  return { manifest: manifestOf(root), faults };
}

/** A path in the syntax of expressions: `request.headers."x-user"`. */
export function formatPath(path: DataPath): string {
  return path.map((step) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(step) ? step : JSON.stringify(step))).join(".");
}

interface Node {
  declaration: AttributeDeclaration | undefined;
  readonly children: Map<string, Node>;
}

/** Adds `declaration` to the tree, or returns the reason why it conflicts. */
function declare(root: Node, declaration: AttributeDeclaration): string | undefined {
  const steps = declaration.name.split(".");
  if (steps.includes("")) return `"${declaration.name}" is not a dotted name`;
  let node = root;
  for (const [index, step] of steps.entries()) {
    if (index > 0 && node.declaration !== undefined && membersOf(node.declaration) === "none")
      return `"${declaration.name}" cannot be in "${node.declaration.name}", which is declared as ${node.declaration.type}`;
    let child = node.children.get(step);
    if (child === undefined) {
      child = { declaration: undefined, children: new Map() };
      node.children.set(step, child);
    }
    node = child;
  }
  if (node.declaration !== undefined) return `"${declaration.name}" is declared already`;
  if (node.children.size > 0 && membersOf(declaration) === "none")
    return `"${declaration.name}" cannot be ${declaration.type}, as attributes are declared in it`;
  node.declaration = declaration;
  return undefined;
}

/** Members that a value of the type may have: none, strings by any name, or anything at any depth. */
function membersOf({ type }: AttributeDeclaration): "none" | "strings" | "anything" {
  return type === "STRING_MAP" ? "strings" : type === "ANY" ? "anything" : "none";
}

function manifestOf(root: Node): AttributeManifest {
  const declarations = declarationsIn(root).sort((a, b) => (a.name < b.name ? -1 : 1));
  const lookup = (path: DataPath) => find(root, path);
  return {
    declarations,
    lookup,
    check(path, phase) {
      const match = lookup(path);
      if (match === undefined) return unknownAttribute(root, path);
      if (phase === "response" || !isOfResponse(match)) return undefined;
      return {
        code: "PURSER_EXPR_PHASE",
        message: `${formatPath(path)} is known only once there is a response`,
      };
    },
  };
}

function find(root: Node, path: DataPath): AttributeMatch | undefined {
  let node = root;
  for (const [index, step] of path.entries()) {
    const child = node.children.get(step);
    if (child === undefined) {
      const members = node.declaration === undefined ? "none" : membersOf(node.declaration);
      const inside = members === "anything" || (members === "strings" && index === path.length - 1);
      return inside ? { kind: "member", declaration: node.declaration as AttributeDeclaration } : undefined;
    }
    node = child;
  }
  if (node.declaration !== undefined) return { kind: "attribute", declaration: node.declaration };
  return { kind: "group", members: declarationsIn(node) };
}

function isOfResponse(match: AttributeMatch): boolean {
  if (match.kind !== "group") return match.declaration.phase === "response";
  return match.members.length > 0 && match.members.every(({ phase }) => phase === "response");
}

function declarationsIn(node: Node): AttributeDeclaration[] {
  const below = [...node.children.values()].flatMap(declarationsIn);
  return node.declaration === undefined ? below : [node.declaration, ...below];
}

function unknownAttribute(root: Node, path: DataPath): AttributeFault {
  const known = knownPrefix(root, path);
  const owner = find(root, known);
  const name = formatPath(path);
  const message =
    known.length > 0 && owner?.kind !== "group"
      ? `${formatPath(known)} is ${typeOf(owner)} and has no ${formatPath(path.slice(known.length))}`
      : `no attribute is called ${name}`;
  const suggestion = suggestPath(root, path, known);
  return {
    code: "PURSER_EXPR_UNKNOWN_ATTRIBUTE",
    message,
    ...(suggestion === undefined ? {} : { suggestion: formatPath(suggestion) }),
  };
}

function typeOf(match: AttributeMatch | undefined): string {
  if (match?.kind === "member") return "a STRING";
  return match?.kind === "attribute" ? `of type ${match.declaration.type}` : "unknown";
}

/** The longest prefix of `path` that is a group or an attribute. */
function knownPrefix(root: Node, path: DataPath): DataPath {
  for (let length = path.length - 1; length > 0; length--) {
    if (find(root, path.slice(0, length)) !== undefined) return path.slice(0, length);
  }
  return [];
}

/** Suggests first a near spelling of the first unknown step, with the rest unchanged; then any near path. */
function suggestPath(root: Node, path: DataPath, known: DataPath): DataPath | undefined {
  const names = namesIn(root);
  const misspelt = path.slice(0, known.length + 1).join(".");
  const near = suggest(misspelt, names);
  if (near !== undefined) {
    const respelt = [...near.split("."), ...path.slice(known.length + 1)];
    if (find(root, respelt) !== undefined) return respelt;
  }
  return suggest(path.join("."), names)?.split(".");
}

/** Dotted names of all groups and attributes. */
function namesIn(node: Node, prefix = ""): string[] {
  return [...node.children].flatMap(([step, child]) => [
    `${prefix}${step}`,
    ...namesIn(child, `${prefix}${step}.`),
  ]);
}
