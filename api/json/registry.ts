// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { HttpProtocol } from "../../core/traffic/port-protocol.ts";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import { exactly } from "./schema/exactly.ts";
import { oneOf, Text, Whole } from "./schema/fields.ts";
import { EndpointSchema } from "./traffic-resources.ts";

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
      /** The protocol towards the endpoints; `grpc-web`: HTTP/2, for clients of gRPC-Web. */
      readonly protocol: HttpProtocol;
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
            protocol: oneOf(["http1", "http2", "grpc-web"]),
            carriesBytes: Type.Boolean(),
            endpoints: Type.Array(EndpointSchema),
          }),
        ),
      }),
    ),
  }),
);
