// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The name of one count: the policy's display name, then the key's values as JSON with their names in order. Different
 * policies, names or values never give the same text: a display name holds no `{`, and JSON keeps strings apart from
 * numbers. A value that is absent is left out, which also differs from every value that is there.
 */
export function cellName(policy: string, key: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(key);
  if (names.length > 1) names.sort();
  let members = "";
  for (const name of names) {
    const value = JSON.stringify(key[name]) as string | undefined;
    if (value === undefined) continue;
    members += `${members === "" ? "" : ","}${JSON.stringify(name)}:${value}`;
  }
  return `${policy}{${members}}`;
}
