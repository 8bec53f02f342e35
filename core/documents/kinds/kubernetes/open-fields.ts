// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type TObject, type TProperties, type TSchema, type TSchemaOptions } from "typebox";

/** An object of Kubernetes' API: the fields that Purser reads; all others are ignored. */
export function Open<P extends TProperties>(properties: P, options: TSchemaOptions = {}): TObject<P> {
  return Type.Object(properties, options) as TObject<P>;
}

/** A field that may be absent, or null, which `kubectl get -o yaml` prints for an empty list. */
export function Nullable<S extends TSchema>(schema: S) {
  return Type.Optional(Type.Union([schema, Type.Null()]));
}

/** An IP address, of either family. */
export function IpAddress(description: string) {
  return Type.String({ pattern: "^[0-9A-Fa-f:.]+$", maxLength: 45, description });
}

/** The name of a document of Kubernetes; longer names are refused there too. */
export function ObjectName(description: string) {
  return Type.String({ minLength: 1, maxLength: 253, description });
}

/** The Pod that an address belongs to. */
export function TargetRef() {
  return Nullable(
    Open(
      {
        kind: Type.Optional(Type.String({ description: "Pod; others are ignored." })),
        name: Type.Optional(ObjectName("The Pod's name.")),
        namespace: Type.Optional(ObjectName("The Pod's namespace; default the document's.")),
      },
      { description: "The Pod behind the addresses, whose labels make the subsets." },
    ),
  );
}
