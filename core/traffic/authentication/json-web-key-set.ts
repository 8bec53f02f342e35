// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isRecord, readKey, type Secrets, type UnusedKey, type VerifyingKey } from "./json-web-key.ts";

/** A key set is refused as a whole when it has more keys, since a token without a key id is tried with each. */
const MAX_KEYS = 100;

export interface KeySetContents {
  readonly keys: readonly VerifyingKey[];
  readonly unused: readonly (UnusedKey & { readonly index: number })[];
}

/** Reason that a text is no key set, as the end of a sentence. */
export class KeySetFault {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Reads a JSON Web Key Set (RFC 7517, section 5). Keys that cannot verify signatures are left out. */
export function readKeySet(text: string, secrets: Secrets): KeySetContents | KeySetFault {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new KeySetFault("is not JSON");
  }
  if (!isRecord(value) || !Array.isArray(value["keys"]))
    return new KeySetFault('is not an object with a list "keys"');
  const written: readonly unknown[] = value["keys"];
  if (written.length > MAX_KEYS)
    return new KeySetFault(`has ${written.length} keys; ${MAX_KEYS} are the most`);
  const keys: VerifyingKey[] = [];
  const unused: (UnusedKey & { readonly index: number })[] = [];
  for (const [index, each] of written.entries()) {
    const key = readKey(each, secrets);
    if ("why" in key) unused.push({ ...key, index });
    else keys.push(key);
  }
  return { keys, unused };
}
