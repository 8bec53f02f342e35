// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The value types of a manifest that a form can narrow. */
type FormedType = "STRING" | "INT64" | "TIMESTAMP" | "IP_ADDRESS" | "DNS_NAME" | "STRING_MAP" | "ANY";

interface FormDefinition {
  /** The types that an attribute of this form can have. */
  readonly types: readonly FormedType[];
  /** Form of the values, for docs/reference/attributes.md: the words after "The value is". */
  readonly description: string;
}

/**
 * The canonical forms that attributes can have. The checker warns of a constant that no value of the form can
 * equal, contain, begin with or match.
 */
export const FORM_DEFINITIONS = {
  method: { types: ["STRING"], description: "an HTTP method in upper case: `GET`" },
  address: {
    types: ["STRING", "IP_ADDRESS"],
    description:
      "one IP address without a port: IPv4 in four decimal parts, IPv6 in lower case and its shortest spelling (RFC 5952), an IPv4-mapped address as IPv4",
  },
  host: {
    types: ["STRING", "DNS_NAME"],
    description: "a host name in lower case, without scheme, port, path and final dot: `shop.example.com`",
  },
  path: {
    types: ["STRING"],
    description: "a normalised path that begins with `/`, and its query if it has one: `/books?page=2`",
  },
  "url-path": {
    types: ["STRING"],
    description: "a normalised path that begins with `/`, without a query: `/books/7`",
  },
  headers: { types: ["STRING_MAP", "ANY"], description: "a map by header names, which are in lower case" },
  claims: {
    types: ["ANY", "STRING_MAP"],
    description:
      "a map by claim names; registered claims (RFC 7519, OpenID Connect) have their registered types",
  },
  principal: {
    types: ["STRING"],
    description: "a workload identity without `spiffe://`: `cluster.local/ns/shop/sa/web`",
  },
  "token-principal": { types: ["STRING"], description: "a token's issuer and subject, joined by a slash" },
  "trace-id": { types: ["STRING"], description: "32 hexadecimal digits in lower case" },
  "span-id": { types: ["STRING"], description: "16 hexadecimal digits in lower case" },
  "grpc-status": { types: ["STRING"], description: "a gRPC status code as a number in text: `14`" },
  "http-status": {
    types: ["INT64"],
    description: "an HTTP status from 100 to 999, or 0 where there was no response",
  },
  port: { types: ["INT64"], description: "a TCP port from 0 to 65535" },
  timestamp: {
    types: ["STRING", "TIMESTAMP"],
    description: "ISO 8601 text in UTC with milliseconds: `2026-01-31T09:30:00.000Z`",
  },
} as const satisfies Readonly<Record<string, FormDefinition>>;

/** The name of a form in a manifest. */
export type AttributeForm = keyof typeof FORM_DEFINITIONS;

export const ATTRIBUTE_FORMS = Object.keys(FORM_DEFINITIONS) as readonly AttributeForm[];

/** The default form of an attribute, by its type. */
export const FORM_OF_TYPE: Readonly<Record<string, AttributeForm | undefined>> = {
  IP_ADDRESS: "address",
  DNS_NAME: "host",
  TIMESTAMP: "timestamp",
};

/** The reason why an attribute of `type` cannot have this form or these values; undefined when it can. */
export function faultOfForm(
  type: string,
  form: AttributeForm | undefined,
  values: readonly string[] | undefined,
): string | undefined {
  if (values !== undefined && form !== undefined) return "has both a form and values: keep one of them";
  if (values !== undefined && type !== "STRING")
    return `has values, which only a STRING can have, not ${type}`;
  if (form === undefined) return undefined;
  const types: readonly string[] = FORM_DEFINITIONS[form].types;
  return types.includes(type)
    ? undefined
    : `has the form ${form}, which is for ${types.join(" or ")}, not for ${type}`;
}
