// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { Cluster } from "../../core/traffic/resources/cluster.ts";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import { exactly } from "./schema/exactly.ts";
import { oneOf, Text, Whole } from "./schema/fields.ts";
import { EndpointSchema, Protocol } from "./traffic-resources.ts";

/** `GET`: a RegistryListing. */
export const REGISTRY_PATH = "/v1/registry";

/** The services that pilot knows. */
export interface RegistryListing {
  /** Of the documents in force; empty before the first ones. */
  readonly version: string;
  readonly services: readonly {
    readonly host: string;
    readonly name: string;
    readonly namespace: string;
    readonly location: "MESH_INTERNAL" | "MESH_EXTERNAL";
    readonly ports: readonly {
      readonly number: number;
      readonly name: string;
      /** The protocol towards the endpoints. */
      readonly protocol: NonNullable<Cluster["protocol"]>;
      /** Whether connections are forwarded as bytes, whatever their protocol is. */
      readonly carriesBytes: boolean;
      readonly endpoints: readonly Endpoint[];
    }[];
  }[];
}

export const RegistryListingSchema = exactly<RegistryListing>()(
  Type.Object({
    version: Text,
    services: Type.Array(
      Type.Object({
        host: Text,
        name: Text,
        namespace: Text,
        location: oneOf(["MESH_INTERNAL", "MESH_EXTERNAL"]),
        ports: Type.Array(
          Type.Object({
            number: Whole,
            name: Text,
            protocol: Protocol,
            carriesBytes: Type.Boolean(),
            endpoints: Type.Array(EndpointSchema),
          }),
        ),
      }),
    ),
  }),
);
