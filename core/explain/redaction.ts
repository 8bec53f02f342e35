// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AttributeBag, type AttributePath, valueAt } from "../attributes/bag.ts";
import { behindView } from "../../expressions/runtime/reads/recorder.ts";
import type { StaticReferences } from "../../expressions/analysis/static-references.ts";

export const REDACTED = "[redacted]";

/** Attributes whose values no explanation shows: what lets its bearer act as somebody. */
export const DEFAULT_REDACTED_PATHS: readonly AttributePath[] = [
  ["request", "headers", "authorization"],
  ["request", "headers", "proxy-authorization"],
  ["request", "headers", "cookie"],
  ["request", "headers", "x-api-key"],
  ["response", "headers", "set-cookie"],
  ["request", "headers", "set-cookie"],
  ["request", "api_key"],
  ["request", "auth", "raw_claims"],
];

/** Shorter texts stand in others by chance. */
const SHORTEST_SECRET = 4;
/** Texts that are looked for at most. */
const MOST_SECRETS = 1_000;

/** Knows the values of one bag that may not be shown. */
export class Redaction {
  readonly #paths: readonly AttributePath[];
  readonly #secrets: readonly string[];
  /** The objects in the bag that hold such a value, and the keys of those values. */
  readonly #holders = new Map<object, Set<string>>();

  constructor(bag: AttributeBag, paths: readonly AttributePath[]) {
    const raw = behindView(bag) as AttributeBag;
    const secrets = new Set<string>();
    this.#paths = paths.filter((path) => valueAt(raw, path) !== undefined);
    for (const path of this.#paths) {
      collectTexts(valueAt(raw, path), secrets);
      const holder = valueAt(raw, path.slice(0, -1)) as object;
      const keys = this.#holders.get(holder) ?? new Set();
      this.#holders.set(holder, keys.add(path.at(-1) as string));
    }
    // The longest first: one may be part of another.
    this.#secrets = [...secrets].toSorted((a, b) => b.length - a.length);
  }

  /** Whether the expression may read such a value: then nothing that it computes is shown, as it may be made of one. */
  concerns({ paths, exact }: StaticReferences): boolean {
    if (this.#paths.length === 0) return false;
    return !exact || paths.some(({ path }) => this.covers(path));
  }

  /** Whether what stands at `path` is, or holds, such a value. */
  covers(path: AttributePath): boolean {
    return this.#paths.some((secret) => overlap(path, secret));
  }

  hides(holder: object, key: string): boolean {
    return this.#holders.get(behindView(holder))?.has(key) ?? false;
  }

  /** `text` without the secrets that stand in it. */
  clean(text: string): string {
    return this.#secrets.reduce((cleaned, secret) => cleaned.replaceAll(secret, REDACTED), text);
  }
}

function overlap(path: AttributePath, secret: AttributePath): boolean {
  return secret.slice(0, path.length).every((step, index) => path[index] === step);
}

function collectTexts(value: unknown, into: Set<string>): void {
  if (into.size >= MOST_SECRETS) return;
  if (typeof value === "string" && value.length >= SHORTEST_SECRET) into.add(value);
  else if (typeof value === "object" && value !== null)
    for (const member of Object.values(value)) collectTexts(member, into);
}
