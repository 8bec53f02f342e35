// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Static, TSchema } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";

/** A kind of document: the schema of its `spec`, and its apiVersions. */
export interface KindDefinition<S extends TSchema = TSchema> {
  readonly kind: string;
  /** The `kind` in documents, where another API's kind has the same name; default `kind`. */
  readonly writtenAs?: string;
  /** The first apiVersion is shown in documentation and schemas. */
  readonly apiVersions: readonly [string, ...string[]];
  /** One sentence for editors and documentation. */
  readonly description: string;
  /** Schema of the document's `spec`; with `whole`, of the whole document but its apiVersion, kind and metadata. */
  readonly spec: S;
  /**
   * Kubernetes' own kinds, which have more than a `spec`. The API server has checked them, so that fields that the schema
   * lacks are ignored. Default: a document has a `spec`, and no unknown field.
   */
  readonly whole?: true;
  /** Checks beyond the schema; called only with a `spec` that satisfies the schema. Default: none. */
  check?(spec: Static<S>): readonly SpecFault[];
}

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The text of `kind` in documents of the kind. */
export function writtenKind({ kind, writtenAs }: Pick<KindDefinition, "kind" | "writtenAs">): string {
  return writtenAs ?? kind;
}

/** `networking.istio.io/v1` is in networking.istio.io, `v1` in the core group of Kubernetes, which is empty. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.lastIndexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash).toLowerCase();
}

/** The default namespace. */
export const DEFAULT_NAMESPACE = "default";

/** The document's name in replies, logs and metrics: without namespace in the default namespace. */
export function displayName(metadata: Pick<Metadata, "name" | "namespace">): string {
  return metadata.namespace === DEFAULT_NAMESPACE ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}
