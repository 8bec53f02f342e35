// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { parseBlock } from "../../../kernel/matching/ip-blocks.ts";
import { messageOf } from "../../../kernel/errors.ts";
import { suggest } from "../../../kernel/suggest.ts";
import { faultsOfTargets } from "./target-refs.ts";
import { AUTHORIZATION_KEYS, authorizationKey } from "./authorization-keys.ts";
import type {
  AuthorizationCondition,
  AuthorizationOperation,
  AuthorizationPolicySpec,
  AuthorizationRule,
  AuthorizationSource,
} from "./authorization-policy-schema.ts";

type Path = readonly (string | number)[];
type Check = (value: string) => string | undefined;

/** Checks beyond the schema: Istio's validation, and values that could never match. */
export function faultsOfAuthorization(spec: AuthorizationPolicySpec): readonly SpecFault[] {
  const { action = "ALLOW", provider, rules = [] } = spec;
  const faults: SpecFault[] = [...faultsOfTargets(spec)];
  if (action === "CUSTOM" && provider === undefined)
    faults.push({
      path: ["action"],
      message: "CUSTOM needs the field provider: name, the Handler that decides",
    });
  if (action !== "CUSTOM" && provider !== undefined)
    faults.push({ path: ["provider"], message: "provider has no effect without action: CUSTOM" });
  if (action === "CUSTOM" && rules.length === 0)
    faults.push({ path: ["action"], message: "CUSTOM without rules would ask the handler about no request" });
  return [...faults, ...rules.flatMap((rule, index) => faultsOfRule(rule, ["rules", index]))];
}

function faultsOfRule({ from = [], to = [], when = [] }: AuthorizationRule, at: Path): readonly SpecFault[] {
  return [
    ...from.flatMap(({ source }, index) => faultsOfSource(source, [...at, "from", index, "source"])),
    ...to.flatMap(({ operation }, index) => faultsOfOperation(operation, [...at, "to", index, "operation"])),
    ...when.flatMap((condition, index) => faultsOfCondition(condition, [...at, "when", index])),
  ];
}

function faultsOfSource(source: AuthorizationSource, at: Path): readonly SpecFault[] {
  const checks: Readonly<Record<keyof AuthorizationSource, Check>> = {
    principals: faultOfPrincipal,
    notPrincipals: faultOfPrincipal,
    requestPrincipals: faultOfWildcard,
    notRequestPrincipals: faultOfWildcard,
    namespaces: faultOfWildcard,
    notNamespaces: faultOfWildcard,
    serviceAccounts: faultOfServiceAccount,
    notServiceAccounts: faultOfServiceAccount,
    ipBlocks: faultOfBlock,
    notIpBlocks: faultOfBlock,
    remoteIpBlocks: faultOfBlock,
    notRemoteIpBlocks: faultOfBlock,
  };
  const byAccount = source.serviceAccounts ?? source.notServiceAccounts;
  const byName = source.principals ?? source.notPrincipals ?? source.namespaces ?? source.notNamespaces;
  const both: readonly SpecFault[] =
    byAccount === undefined || byName === undefined
      ? []
      : [{ path: at, message: "serviceAccounts cannot stand beside principals or namespaces, as in Istio" }];
  return [...both, ...faultsOfLists(source, checks, at)];
}

function faultsOfOperation(operation: AuthorizationOperation, at: Path): readonly SpecFault[] {
  const checks: Readonly<Record<keyof AuthorizationOperation, Check>> = {
    hosts: faultOfHost,
    notHosts: faultOfHost,
    ports: faultOfPort,
    notPorts: faultOfPort,
    methods: faultOfMethod,
    notMethods: faultOfMethod,
    paths: faultOfPath,
    notPaths: faultOfPath,
  };
  return faultsOfLists(operation, checks, at);
}

function faultsOfCondition(
  { key, values, notValues }: AuthorizationCondition,
  at: Path,
): readonly SpecFault[] {
  const known = authorizationKey(key);
  if (known === undefined) {
    const message = `There is no key ${JSON.stringify(key)}; the keys are ${AUTHORIZATION_KEYS.join(", ")}`;
    const suggestion = suggest(key, AUTHORIZATION_KEYS);
    return [{ path: [...at, "key"], message, ...(suggestion === undefined ? {} : { suggestion }) }];
  }
  if (values === undefined && notValues === undefined)
    return [{ path: at, message: "A condition needs values or notValues" }];
  const check = { text: faultOfWildcard, address: faultOfBlock, port: faultOfPort }[known.form];
  const checks = { values: check, notValues: check };
  const lists = {
    ...(values === undefined ? {} : { values }),
    ...(notValues === undefined ? {} : { notValues }),
  };
  return faultsOfLists(lists, checks, at);
}

function faultsOfLists<Field extends string>(
  lists: { readonly [F in Field]?: readonly string[] | undefined },
  checks: Readonly<Record<Field, Check>>,
  at: Path,
): readonly SpecFault[] {
  return (Object.keys(lists) as Field[]).flatMap((field) =>
    (lists[field] ?? []).flatMap((value, index) => {
      const message = checks[field](value);
      return message === undefined ? [] : [{ path: [...at, field, index], message }];
    }),
  );
}

/** Istio takes every other `*` literally, where a user meant a wildcard. */
function faultOfWildcard(value: string): string | undefined {
  const inner = value.startsWith("*") ? value.slice(1) : value.endsWith("*") ? value.slice(0, -1) : value;
  return inner.includes("*")
    ? `${JSON.stringify(value)} has a * that would stand for itself: one * is a wildcard, at the beginning or at the end`
    : undefined;
}

/** A prefix of a host with its port would be compared with a host that has none. */
function faultOfHost(value: string): string | undefined {
  return /^(?:[^:[]*|\[.*\]):\d+\*$/.test(value)
    ? `${JSON.stringify(value)} has a part of a port: write the whole port, or HOST:* for any`
    : faultOfWildcard(value);
}

function faultOfPrincipal(value: string): string | undefined {
  return value.startsWith("spiffe://")
    ? "Principals are written without spiffe://, as in Istio"
    : faultOfWildcard(value);
}

function faultOfServiceAccount(value: string): string | undefined {
  return /^([a-z0-9.-]+\/)?[a-z0-9.-]+$/.test(value)
    ? undefined
    : "A service account is NAMESPACE/NAME or NAME, without wildcards";
}

function faultOfBlock(value: string): string | undefined {
  try {
    parseBlock(value);
    return undefined;
  } catch (error) {
    return `${JSON.stringify(value)} ${messageOf(error)}`;
  }
}

function faultOfPort(value: string): string | undefined {
  return /^[1-9][0-9]{0,4}$/.test(value) && Number(value) <= 65_535
    ? undefined
    : `${JSON.stringify(value)} is no port, 1 to 65535`;
}

function faultOfMethod(value: string): string | undefined {
  if (value !== value.toUpperCase())
    return `Methods are in upper case: ${JSON.stringify(value.toUpperCase())}`;
  return faultOfWildcard(value);
}

/** Braces of Istio's path templates: `{*}` is a segment, `{**}` the rest. */
const TEMPLATE_PART = /\{\*\*?\}/g;

function faultOfPath(value: string): string | undefined {
  if (!/[{}]/.test(value)) {
    if (!/^[/*]/.test(value)) return "A path begins with / or *";
    if (value.includes("?")) return "A path has no query";
    return faultOfWildcard(value);
  }
  if (/[{}*]/.test(value.replaceAll(TEMPLATE_PART, "")))
    return "A path template has {*} and {**} alone, and no other brace or *";
  if (!value.split("/").every((segment) => !segment.includes("{") || /^\{\*\*?\}$/.test(segment)))
    return "In a path template, {*} and {**} are whole segments";
  const rest = value.indexOf("{**}");
  if (rest !== -1 && rest !== value.length - 4) return "In a path template, {**} is the last segment";
  return value.startsWith("/") ? undefined : "A path template begins with /";
}
