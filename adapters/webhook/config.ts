// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  Choice,
  type ConfigFault,
  HTTP_ACCESS,
  httpAccessFaults,
  SecretField,
  type Static,
  Type,
} from "../../plugins/sdk/index.ts";
import { keyOfSecret } from "./signature.ts";

const MEBIBYTE = 1024 * 1024;

export const Config = Type.Object({
  url: SecretField({
    description: "Where batches are posted to, http:// or https://. Never shown: many such URLs are secrets.",
  }),
  ...HTTP_ACCESS,
  format: Choice(
    ["json", "jsonl"],
    "json: a document for each batch; jsonl: an instance a line (application/x-ndjson).",
    { default: "json" },
  ),
  envelope: Type.Boolean({
    default: true,
    description:
      "For json: true for an object with id, handler, template, attempt and items; false for an array of the items.",
  }),
  signingSecrets: Type.Array(
    SecretField({
      description: "whsec_ and the base64 of 24 to 64 bytes, as Standard Webhooks writes keys.",
    }),
    {
      default: [],
      maxItems: 2,
      description:
        "Keys of the signature. Two while a key is replaced: each request then has two signatures.",
    },
  ),
  maxBytes: Type.Integer({
    minimum: 1024,
    maximum: 64 * MEBIBYTE,
    default: MEBIBYTE,
    description:
      "Maximum size of a request's body before compression, in bytes. Larger batches are sent in halves.",
  }),
  gzip: Type.Boolean({ default: false, description: "Compress bodies (content-encoding: gzip)." }),
  redact: Type.Array(Type.String({ pattern: "^[^*\\s]+\\*?$" }), {
    default: [],
    description:
      "Attributes of decisions to redact, such as request.headers.x-session or request.query_params.*; credentials always are.",
  }),
});

export type WebhookConfig = Static<typeof Config>;

/** Headers that each request has; lower case. */
const OWN_HEADERS = [
  "purser-attempt",
  "purser-template",
  "webhook-id",
  "webhook-signature",
  "webhook-timestamp",
];

/** Faults beyond the schema. */
export function faultsOf(config: WebhookConfig): readonly ConfigFault[] {
  const faults = [...httpAccessFaults(config, OWN_HEADERS)];
  for (const [index, secret] of config.signingSecrets.entries()) {
    if (keyOfSecret(secret) !== undefined) continue;
    const message = "must be whsec_ and the base64 of 24 to 64 bytes";
    faults.push({ path: ["signingSecrets", index], message: `signingSecrets[${index}] ${message}` });
  }
  if (config.format === "jsonl" && !config.envelope)
    faults.push({ path: ["envelope"], message: "envelope is for the format json: jsonl has none" });
  return faults;
}
