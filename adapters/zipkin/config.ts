// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type ConfigFault,
  HTTP_ACCESS,
  httpAccessFaults,
  type Static,
  Type,
} from "../../plugins/sdk/index.ts";

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;

const Tag = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));

export const Config = Type.Object({
  url: Type.String({
    description: "Zipkin's address, such as http://zipkin:9411; spans are posted to /api/v2/spans below it.",
  }),
  ...HTTP_ACCESS,
  serviceName: Type.String({
    minLength: 1,
    default: "purser",
    description: "The local service's name, for spans without the tag of serviceTag.",
  }),
  serviceTag: Tag("The tag that has the local service's name."),
  remoteServiceTag: Tag("The tag that has the remote service's name."),
  remoteAddressTag: Tag("The tag that has the remote IP address, with or without a port."),
  maxBytes: Type.Integer({
    minimum: KIBIBYTE,
    maximum: 64 * MEBIBYTE,
    default: 5 * MEBIBYTE,
    description:
      "Maximum size of a request's body, in bytes. Larger batches are sent in halves. Zipkin's own limit is 10 MiB.",
  }),
});

export type ZipkinConfig = Static<typeof Config>;

/** Faults beyond the schema. */
export function faultsOf(config: ZipkinConfig): readonly ConfigFault[] {
  return httpAccessFaults(config);
}
