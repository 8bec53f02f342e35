// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { literalText } from "../../../expressions/analysis/literal-text.ts";
import { headerNameFault, headerValueFault } from "../../attributes/header-fields.ts";
import type { SpecFault } from "../../../kernel/diagnostic.ts";

type Path = readonly (string | number)[];

/** Faults of headers that a document sets or adds, by name. Only literal values are checked. */
export function headerMapFaults(
  headers: Readonly<Record<string, string>> | undefined,
  path: Path,
  values: "text" | "expressions",
): readonly SpecFault[] {
  const spellings = new Map<string, string>();
  return Object.entries(headers ?? {}).flatMap(([name, value]) => {
    const earlier = spellings.get(name.toLowerCase());
    spellings.set(name.toLowerCase(), name);
    const text = values === "text" ? value : (literalText(value) ?? "");
    const message =
      nameFault(name) ??
      (earlier === undefined ? undefined : `${name} and ${earlier} are the same header; write it once`) ??
      headerValueFault(name, text);
    return message === undefined ? [] : [{ path: [...path, name], message }];
  });
}

/** Faults of headers that a document removes. */
export function headerNamesFaults(names: readonly string[] | undefined, path: Path): readonly SpecFault[] {
  return (names ?? []).flatMap((name, index) => {
    const message = nameFault(name);
    return message === undefined ? [] : [{ path: [...path, index], message }];
  });
}

function nameFault(name: string): string | undefined {
  const fault = headerNameFault(name);
  return fault !== undefined && name.toLowerCase() === "host"
    ? `${fault}; use rewrite.authority of a VirtualService`
    : fault;
}
