// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The settings of resolv.conf(5) by which short names are completed. */
export interface SearchList {
  readonly domains: readonly string[];
  /** A name with at least as many dots is asked for as it is first. */
  readonly ndots: number;
}

/** As in resolv.conf(5). */
const DEFAULT_NDOTS = 1;
const MAX_NDOTS = 15;

/** Domains beyond these are not searched, so that one name takes a bounded number of queries. glibc's old limit. */
const MAX_DOMAINS = 6;

/** Reads the lines `search`, `domain` and `options ndots:N`; the last line of each kind counts. */
export function parseSearchList(resolvConf: string): SearchList {
  let domains: readonly string[] = [];
  let ndots = DEFAULT_NDOTS;
  for (const line of resolvConf.split("\n")) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    if (keyword === "search") domains = words;
    else if (keyword === "domain") domains = words.slice(0, 1);
    else if (keyword === "options") {
      for (const word of words) {
        const [, digits] = /^ndots:(\d+)$/.exec(word) ?? [];
        if (digits !== undefined) ndots = Math.min(Number(digits), MAX_NDOTS);
      }
    }
  }
  return {
    domains: domains
      .map((domain) => domain.replace(/^\.|\.$/g, ""))
      .filter((domain) => domain !== "")
      .slice(0, MAX_DOMAINS),
    ndots,
  };
}

/** The full names to ask for, in order: the first that exists is meant. */
export function candidatesOf(name: string, { domains, ndots }: SearchList): readonly string[] {
  const completed = domains.map((domain) => `${name}.${domain}`);
  const dots = name.split(".").length - 1;
  return dots >= ndots ? [name, ...completed] : [...completed, name];
}
