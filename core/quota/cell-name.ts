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
  return new CellNames(policy, names).of(names.map((name) => key[name]));
}

/** The names of one policy's counts: the names in its key are sorted and quoted once. */
export class CellNames {
  readonly #start: string;
  /** By name in code-unit order: the position of its value, and the name as it stands before a value. */
  readonly #members: readonly { readonly position: number; readonly start: string }[];

  /** @param names The names in the key, each once, in any order. */
  constructor(policy: string, names: readonly string[]) {
    this.#start = `${policy}{`;
    const positions = [...names.keys()].sort((a, b) =>
      (names[a] as string) < (names[b] as string) ? -1 : 1,
    );
    this.#members = positions.map((position) => ({
      position,
      start: `${JSON.stringify(names[position])}:`,
    }));
  }

  /** @param values The key's values, in the order of the names given to the constructor. */
  of(values: readonly unknown[]): string {
    let text = this.#start;
    let comma = "";
    for (const { position, start } of this.#members) {
      const value = JSON.stringify(values[position]) as string | undefined;
      if (value === undefined) continue;
      text += comma + start + value;
      comma = ",";
    }
    return `${text}}`;
  }
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
