// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Static, TSchema } from "typebox";

/** A kind of document: what its `spec` holds, and under which apiVersions it is known. */
export interface KindDefinition<S extends TSchema = TSchema> {
  readonly kind: string;
  /** The first is the one that documentation and schemas show. */
  readonly apiVersions: readonly [string, ...string[]];
  /** One sentence for editors and documentation. */
  readonly description: string;
  readonly spec: S;
  /** What the schema cannot say; called only with a `spec` that the schema accepts. Default: nothing more. */
  check?(spec: Static<S>): readonly SpecFault[];
}

/** One fault of a spec; it becomes a Diagnostic with PURSER_DOC_INVALID_VALUE. */
export interface SpecFault {
  /** The way to the value inside `spec`. */
  readonly path: readonly (string | number)[];
  /** What is wrong, as one sentence without the place. */
  readonly message: string;
  readonly suggestion?: string;
}

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The namespace of a document that names none. */
export const DEFAULT_NAMESPACE = "default";

/** How a document is named in replies, logs and metrics: its bare name in the default namespace. */
export function displayName(metadata: Pick<Metadata, "name" | "namespace">): string {
  return metadata.namespace === DEFAULT_NAMESPACE ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}
