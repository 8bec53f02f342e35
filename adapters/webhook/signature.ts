// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHmac } from "node:crypto";

/** Prefix of symmetric keys in Standard Webhooks (standard-webhooks.com, specification, "Signature scheme"). */
const PREFIX = "whsec_";

/** Sizes of a key that Standard Webhooks allows, in bytes. */
const KEY_BYTES = { min: 24, max: 64 };

/** The key of a secret such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`; undefined when it has another form. */
export function keyOfSecret(secret: string): Buffer | undefined {
  if (!secret.startsWith(PREFIX)) return undefined;
  const text = secret.slice(PREFIX.length);
  const key = Buffer.from(text, "base64");
  // Buffer.from skips characters that are not base64.
  if (key.toString("base64").replaceAll("=", "") !== text.replaceAll("=", "")) return undefined;
  return key.length >= KEY_BYTES.min && key.length <= KEY_BYTES.max ? key : undefined;
}

/**
 * The value of `webhook-signature`: a signature for each key, with a space between them.
 *
 * @param timestamp Seconds since the epoch, as in `webhook-timestamp`.
 */
export function signatureOf(keys: readonly Buffer[], id: string, timestamp: number, body: string): string {
  return keys
    .map((key) => `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`)
    .join(" ");
}
