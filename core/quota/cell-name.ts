// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The name of one count: the policy's display name, then the key's values as JSON with their names in order. Different
 * policies, names or values never give the same text: a display name holds no `{`, and JSON keeps strings apart from
 * numbers. A value that is absent is left out, which also differs from every value that is there. The limit is no part
 * of it: what is used stays used, whatever limit applies.
 */
export function cellName({ name: policy }: CellPolicy, key: Readonly<Record<string, unknown>>): string {
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

/** What a cell's name says of its policy. */
export interface CellPolicy {
  /** The display name. */
  readonly name: string;
}

/** Whether `cell` may be one that the policy counts in: the key's values are anybody's guess. */
export function isCellOf({ name }: CellPolicy, cell: string): boolean {
  return cell.startsWith(`${name}{`) && cell.endsWith("}");
}

/** The display name of the policy that counts in a cell. */
export function policyOfCell(cell: string): string {
  const brace = cell.indexOf("{");
  return brace === -1 ? cell : cell.slice(0, brace);
}
