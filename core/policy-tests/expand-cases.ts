// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import type { PolicyExpectation, PolicyTestCase, PolicyTestSpec } from "../documents/kinds/policy-test.ts";
import { bagAt, mergeBags, type PartialBag } from "./bags.ts";

/** A case, or one row of a case's table. */
export interface TestCase {
  readonly name: string;
  /** Path of the case in the document. */
  readonly path: readonly (string | number)[];
  readonly written: PolicyTestCase;
  readonly bag: AttributeBag;
  readonly expect: PolicyExpectation | undefined;
}

/** Prefix of table columns that are expectations. */
const EXPECT = "expect.";

export function expandCases(spec: PolicyTestSpec): readonly TestCase[] {
  return spec.cases.flatMap((written, index) => {
    const parts = bagParts(written, spec);
    const path = ["spec", "cases", index];
    const { name, table, expect } = written;
    if (table === undefined) return [{ name, path, written, bag: mergeBags(parts), expect }];
    return table.rows.map((row, rowIndex) => {
      const cells = table.columns.map((column, columnIndex) => [column, row[columnIndex]] as const);
      const attributes = cells.filter(([column]) => !column.startsWith(EXPECT));
      const expected = cells.filter(([column]) => column.startsWith(EXPECT));
      const named = attributes.map(([, value]) =>
        typeof value === "string" ? value : JSON.stringify(value),
      );
      return {
        name: `${name} [${rowIndex + 1}: ${named.join(", ")}]`,
        path: [...path, "table", "rows", rowIndex],
        written,
        bag: mergeBags([...parts, ...attributes.map(([column, value]) => bagAt(column, value))]),
        expect: {
          ...expect,
          ...(Object.fromEntries(
            expected.map(([column, value]) => [column.slice(EXPECT.length), value]),
          ) as PolicyExpectation),
        },
      };
    });
  });
}

/** The bags that are merged for a case, or for a step of one. */
export function bagParts(
  { fixtures = [], bag = {} }: Pick<PolicyTestCase, "fixtures" | "bag">,
  spec: PolicyTestSpec,
): readonly PartialBag[] {
  return [...fixtures.map((name) => spec.fixtures?.[name] ?? {}), bag];
}
