// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SpecFault } from "../../../../kernel/diagnostic.ts";
import { headerMapFaults, headerNamesFaults } from "../header-faults.ts";
import { faultsOfCors } from "./cors.ts";
import type { FilterSpec, HeaderModifierSpec, PathModifierSpec } from "./filters.ts";

type Path = readonly (string | number)[];

/** The field that has the settings of a filter type: `requestMirror` of RequestMirror. */
function fieldOf(type: FilterSpec["type"]): Exclude<keyof FilterSpec, "type"> {
  if (type === "CORS") return "cors";
  if (type === "URLRewrite") return "urlRewrite";
  return `${type.charAt(0).toLowerCase()}${type.slice(1)}` as Exclude<keyof FilterSpec, "type">;
}

/**
 * Checks the filters of a rule or of a destination.
 *
 * @param onlyPrefixes Whether every match of the rule has the type PathPrefix, which ReplacePrefixMatch needs.
 */
export function faultsOfFilters(
  filters: readonly FilterSpec[],
  path: Path,
  onlyPrefixes: boolean,
): readonly SpecFault[] {
  const seen = new Set<string>();
  const faults = filters.flatMap((filter, index): readonly SpecFault[] => {
    const at = [...path, index];
    const field = fieldOf(filter.type);
    const others = Object.keys(filter).filter((name) => name !== "type" && name !== field);
    const repeated = seen.has(filter.type) && filter.type !== "RequestMirror";
    seen.add(filter.type);
    return [
      ...(filter[field] === undefined
        ? [{ path: at, message: `A filter of type ${filter.type} needs the field ${field}` }]
        : []),
      ...others.map((name) => ({
        path: [...at, name],
        message: `A filter of type ${filter.type} has no use for ${name}`,
      })),
      ...(repeated
        ? [{ path: [...at, "type"], message: `There is another filter of type ${filter.type}` }]
        : []),
      ...faultsOfHeaders(filter.requestHeaderModifier, [...at, "requestHeaderModifier"]),
      ...faultsOfHeaders(filter.responseHeaderModifier, [...at, "responseHeaderModifier"]),
      ...faultsOfMirror(filter, at),
      ...faultsOfPath(filter.requestRedirect?.path, [...at, "requestRedirect", "path"], onlyPrefixes),
      ...faultsOfPath(filter.urlRewrite?.path, [...at, "urlRewrite", "path"], onlyPrefixes),
      ...wildcardFaults(filter, at),
      ...(filter.cors === undefined ? [] : faultsOfCors(filter.cors, [...at, "cors"])),
    ];
  });
  if (!seen.has("RequestRedirect") || !seen.has("URLRewrite")) return faults;
  return [...faults, { path, message: "A rule has either RequestRedirect or URLRewrite" }];
}

function faultsOfHeaders(modifier: HeaderModifierSpec | undefined, path: Path): readonly SpecFault[] {
  if (modifier === undefined) return [];
  const named = (["set", "add"] as const).flatMap((field) => {
    const names = new Set<string>();
    return (modifier[field] ?? []).flatMap(({ name, value }, index) => {
      const at = [...path, field, index, "name"];
      const repeated = names.has(name.toLowerCase());
      names.add(name.toLowerCase());
      if (repeated) return [{ path: at, message: `${name} is listed twice` }];
      return headerMapFaults({ [name]: value }, at, "text").map(({ message }) => ({ path: at, message }));
    });
  });
  return [...named, ...headerNamesFaults(modifier.remove, [...path, "remove"])];
}

function faultsOfMirror({ requestMirror }: FilterSpec, path: Path): readonly SpecFault[] {
  if (requestMirror === undefined) return [];
  const at = [...path, "requestMirror"];
  const { percent, fraction } = requestMirror;
  if (percent !== undefined && fraction !== undefined)
    return [{ path: at, message: "A mirror has either percent or fraction" }];
  if (fraction !== undefined && fraction.numerator > (fraction.denominator ?? 100))
    return [{ path: [...at, "fraction"], message: "The numerator is above the denominator" }];
  return [];
}

function faultsOfPath(
  modifier: PathModifierSpec | undefined,
  path: Path,
  onlyPrefixes: boolean,
): readonly SpecFault[] {
  if (modifier === undefined) return [];
  const { type } = modifier;
  const field = type === "ReplaceFullPath" ? "replaceFullPath" : "replacePrefixMatch";
  const other = type === "ReplaceFullPath" ? "replacePrefixMatch" : "replaceFullPath";
  const faults: SpecFault[] = [];
  if (modifier[field] === undefined)
    faults.push({ path, message: `The type ${type} needs the field ${field}` });
  if (modifier[other] !== undefined)
    faults.push({ path: [...path, other], message: `The type ${type} has no use for ${other}` });
  if (type === "ReplacePrefixMatch" && !onlyPrefixes)
    faults.push({
      path: [...path, "type"],
      message: "ReplacePrefixMatch needs path matches of type PathPrefix in every match of the rule",
    });
  return faults;
}

/** A request goes to one host. */
function wildcardFaults({ requestRedirect, urlRewrite }: FilterSpec, path: Path): readonly SpecFault[] {
  return (
    [
      ["requestRedirect", requestRedirect],
      ["urlRewrite", urlRewrite],
    ] as const
  ).flatMap(([field, settings]) =>
    settings?.hostname?.startsWith("*") === true
      ? [{ path: [...path, field, "hostname"], message: "A wildcard is no host to go to" }]
      : [],
  );
}
