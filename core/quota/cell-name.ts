// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The name of one count: the policy's display name, then the key's values as JSON with sorted names.
 * Different policies, names or values never give the same text: display names contain no `{`, and JSON
 * distinguishes strings from numbers. Absent values are left out, which differs from every present value. The
 * limit is not part of the name: used amounts stay used, whatever limit applies.
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

/** The part of a policy that its cells' names contain. */
export interface CellPolicy {
  /** The display name. */
  readonly name: string;
}

/** Whether the policy may count in `cell`; the key's values are not checked. */
export function isCellOf({ name }: CellPolicy, cell: string): boolean {
  return cell.startsWith(`${name}{`) && cell.endsWith("}");
}

/** The display name of the policy that counts in a cell. */
export function policyOfCell(cell: string): string {
  const brace = cell.indexOf("{");
  return brace === -1 ? cell : cell.slice(0, brace);
}
