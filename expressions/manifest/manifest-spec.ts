// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeForm } from "./forms.ts";

/** Mixer's value types (istio/api policy/v1beta1/value_type.proto), and ANY for a value of unknown type. */
export const ATTRIBUTE_TYPES = [
  "STRING",
  "INT64",
  "DOUBLE",
  "BOOL",
  "TIMESTAMP",
  "IP_ADDRESS",
  "EMAIL_ADDRESS",
  "URI",
  "DNS_NAME",
  "DURATION",
  "STRING_MAP",
  "STRING_LIST",
  "ANY",
] as const;

export type AttributeType = (typeof ATTRIBUTE_TYPES)[number];

export const PHASES = ["request", "response"] as const;

/** The phase of a request in which an expression reads it: `request` before forwarding, `response` after. */
export type Phase = (typeof PHASES)[number];

/** The attributes of an expression's input, as the `spec` of an AttributeManifest declares them. */
export interface AttributeManifestSpec {
  /** Attributes by dotted name, such as `request.headers`. */
  attributes: Record<string, AttributeSpec>;
}

/** Declaration of one attribute. */
export interface AttributeSpec {
  /** The type of the value. TIMESTAMP is ISO 8601 text; DURATION is a number of `unit`. */
  type: AttributeType;
  /**
   * The canonical form of the values. Default: address for IP_ADDRESS, host for DNS_NAME, timestamp for
   * TIMESTAMP.
   */
  form?: AttributeForm;
  /** The only texts that a STRING can have. */
  values?: string[];
  /** The unit of a number, such as `ms`. */
  unit?: string;
  /** The phase from which the value is known; default `request`. */
  phase?: Phase;
  /** Whether the attribute may be absent; default true. */
  optional?: boolean;
  description?: string;
}
