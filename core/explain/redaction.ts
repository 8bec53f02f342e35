// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag, AttributePath } from "../attributes/bag.ts";
import { behindView } from "../../expressions/runtime/reads/recorder.ts";
import type { StaticReferences } from "../../expressions/analysis/static-references.ts";

export const REDACTED = "[redacted]";

/** Credentials: attributes whose values no explanation shows. */
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

/** Shorter texts occur in others by chance. */
const SHORTEST_SECRET = 4;
/** Most secret texts that are searched for. */
const MOST_SECRETS = 1_000;

/** The secret values of one bag. */
export class Redaction {
  readonly #paths: readonly AttributePath[];
  readonly #secrets: readonly string[];
  /** Objects in the bag that contain secret values, with the keys of these values. */
  readonly #holders = new Map<object, Set<string>>();

  constructor(bag: AttributeBag, paths: readonly AttributePath[]) {
    const raw = behindView(bag) as AttributeBag;
    const secrets = new Set<string>();
    this.#paths = paths.flatMap(withRepeated).filter((path) => {
      const holders = holdersOf(raw, path);
      const key = path.at(-1) as string;
      for (const holder of holders) {
        collectTexts(holder[key], secrets);
        this.#holders.set(holder, (this.#holders.get(holder) ?? new Set()).add(key));
      }
      return holders.length > 0;
    });
    // Longest first, as a secret may be part of another.
    this.#secrets = [...secrets].toSorted((a, b) => b.length - a.length);
  }

  /**
   * Whether the expression may read a secret: then no value that it computes is shown, as it may be derived
   * from the secret.
   */
  concerns({ paths, exact }: StaticReferences): boolean {
    if (this.#paths.length === 0) return false;
    return !exact || paths.some(({ path }) => this.covers(path));
  }

  /** Whether the value at `path` is or contains a secret. */
  covers(path: AttributePath): boolean {
    return this.#paths.some((secret) => overlap(path, secret));
  }

  hides(holder: object, key: string): boolean {
    return this.#holders.get(behindView(holder))?.has(key) ?? false;
  }

  /** `text` with all secrets in it replaced. */
  clean(text: string): string {
    return this.#secrets.reduce((cleaned, secret) => cleaned.replaceAll(secret, REDACTED), text);
  }
}

/** The path, and that of the list of its values when the request repeats the header or query parameter. */
function withRepeated(path: AttributePath): readonly AttributePath[] {
  const [root, group, ...rest] = path;
  return root === "request" && (group === "headers" || group === "query_params")
    ? [path, [root, `repeated_${group}`, ...rest]]
    : [path];
}

type Branch = Readonly<Record<string, unknown>>;

/** The objects that have the last step of a path, which leads through arrays as it does in expressions. */
function holdersOf(bag: AttributeBag, path: AttributePath): readonly Branch[] {
  const memberOf = (branch: Branch, step: string): unknown =>
    Object.hasOwn(branch, step) ? branch[step] : undefined;
  const holders = path
    .slice(0, -1)
    .reduce(
      (branches, step) => branches.flatMap((branch) => branchesOf(memberOf(branch, step))),
      branchesOf(bag),
    );
  return holders.filter((holder) => memberOf(holder, path.at(-1) as string) !== undefined);
}

function branchesOf(value: unknown): readonly Branch[] {
  if (Array.isArray(value)) return value.flatMap(branchesOf);
  return typeof value === "object" && value !== null ? [value as Branch] : [];
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
