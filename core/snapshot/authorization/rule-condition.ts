// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { authorizationKey } from "../../documents/kinds/authorization-keys.ts";
import type {
  AuthorizationCondition,
  AuthorizationOperation,
  AuthorizationRule,
  AuthorizationSource,
} from "../../documents/kinds/authorization-policy-schema.ts";
import { allOf, anyOf, attributePath, literal, not } from "./condition-text.ts";
import { inBlocks, isPort, matchesAny } from "./value-match.ts";

/** Facts that the meaning of a policy's rules depends on. */
export interface RuleScope {
  /** The policy's namespace, which service accounts without a namespace are of. */
  readonly namespace: string;
  /** Names of the mesh's trust domain: a principal of one is a principal of all. */
  readonly trustDomains: readonly string[];
  /**
   * Whether conditions that a TCP connection does not have hold for it: Istio leaves them out of DENY rules, so that a rule
   * refuses too much instead of too little. Otherwise they do not hold.
   */
  readonly ignoresHttpOfTcp: boolean;
}

/** Condition that one of the rules holds, as an expression; `false` without rules. */
export function rulesCondition(rules: readonly AuthorizationRule[], scope: RuleScope): string {
  return anyOf(rules.map((rule) => ruleCondition(rule, scope)));
}

function ruleCondition({ from, to, when = [] }: AuthorizationRule, scope: RuleScope): string {
  return allOf([
    ...(from === undefined ? [] : [anyOf(from.map(({ source }) => sourceCondition(source, scope)))]),
    ...(to === undefined ? [] : [anyOf(to.map(({ operation }) => operationCondition(operation, scope)))]),
    ...when.map((condition) => whenCondition(condition, scope)),
  ]);
}

type Test = (values: readonly string[]) => string;

/** The tests of a field and of its negation. */
function both(
  test: Test,
  values: readonly string[] | undefined,
  notValues: readonly string[] | undefined,
): string[] {
  return [
    ...(values === undefined ? [] : [test(values)]),
    ...(notValues === undefined ? [] : [not(test(notValues))]),
  ];
}

function sourceCondition(source: AuthorizationSource, scope: RuleScope): string {
  const http = (test: Test): Test => httpTest(test, scope);
  return allOf([
    ...both((values) => principalTest(values, scope), source.principals, source.notPrincipals),
    ...both(
      http((values) => matchesAny({ text: "request.auth.principal" }, values)),
      source.requestPrincipals,
      undefined,
    ),
    ...negated(
      (values) => matchesAny({ text: "request.auth.principal" }, values),
      source.notRequestPrincipals,
      scope,
    ),
    ...both(
      (values) => matchesAny({ text: "source.namespace" }, values),
      source.namespaces,
      source.notNamespaces,
    ),
    ...both((values) => accountTest(values, scope), source.serviceAccounts, source.notServiceAccounts),
    ...both((blocks) => inBlocks("source.ip", blocks), source.ipBlocks, source.notIpBlocks),
    ...both(
      http((blocks) => inBlocks("origin.ip", blocks)),
      source.remoteIpBlocks,
      undefined,
    ),
    ...negated((blocks) => inBlocks("origin.ip", blocks), source.notRemoteIpBlocks, scope),
  ]);
}

function operationCondition(operation: AuthorizationOperation, scope: RuleScope): string {
  const { hosts, notHosts, ports, notPorts, methods, notMethods, paths, notPaths } = operation;
  const methodTest: Test = (values) => matchesAny({ text: "request.method" }, values);
  const of = (
    test: Test,
    values: readonly string[] | undefined,
    notValues: readonly string[] | undefined,
  ) => [...both(httpTest(test, scope), values, undefined), ...negated(test, notValues, scope)];
  return allOf([
    ...of(hostTest, hosts, notHosts),
    ...both((values) => isPort("destination.port", values), ports, notPorts),
    ...of(methodTest, methods, notMethods),
    ...of(pathTest, paths, notPaths),
  ]);
}

function whenCondition({ key, values, notValues }: AuthorizationCondition, scope: RuleScope): string {
  // A key that is unknown was refused with the document.
  const known = authorizationKey(key);
  if (known === undefined) throw new Error(`There is no key ${key}`);
  const { path, form, isOfHttp } = known;
  const text = attributePath(path);
  const tests: Readonly<Record<typeof form, Test>> = {
    address: (blocks) => inBlocks(text, blocks),
    port: (ports) => isPort(text, ports),
    text: textTest(path),
  };
  const test =
    path[0] === "source" && path[1] === "principal"
      ? (given: readonly string[]) => principalTest(given, scope)
      : tests[form];
  if (!isOfHttp) return allOf(both(test, values, notValues));
  return allOf([...both(httpTest(test, scope), values, undefined), ...negated(test, notValues, scope)]);
}

/** Claims that RFC 8693 (section 4.2) and Istio write as one text with spaces between their values. */
const SPACE_DELIMITED: ReadonlySet<string> = new Set(["scope", "permission"]);

function textTest(path: readonly string[]): Test {
  const text = attributePath(path);
  if (path[1] !== "auth" || path[2] !== "claims") return (values) => matchesAny({ text }, values);
  const [claim = ""] = path.slice(-1);
  const list = SPACE_DELIMITED.has(claim)
    ? `($type(${text}) = "string" ? $split(${text}, " ") : ${text})`
    : text;
  return (values) => matchesAny({ text: list, isClaim: true }, values);
}

/** `false` for TCP, which has no such attribute, or true where it is left out of the rule. */
function httpTest(test: Test, { ignoresHttpOfTcp }: RuleScope): Test {
  return ignoresHttpOfTcp ? (values) => anyOf([IS_TCP, test(values)]) : test;
}

/** The negation of a test of HTTP: without `ignoresHttpOfTcp` no rule with it holds for TCP, though the attribute is absent. */
function negated(
  test: Test,
  values: readonly string[] | undefined,
  { ignoresHttpOfTcp }: RuleScope,
): string[] {
  if (values === undefined) return [];
  const holds = not(test(values));
  return [ignoresHttpOfTcp ? anyOf([IS_TCP, holds]) : allOf([IS_NOT_TCP, holds])];
}

const IS_TCP = 'context.protocol = "tcp"';
const IS_NOT_TCP = 'context.protocol != "tcp"';

/** A principal `TRUST_DOMAIN/ns/…` of one of the mesh's trust domains stands for all of them. */
function principalTest(values: readonly string[], { trustDomains }: RuleScope): string {
  const all = values.flatMap((value) => {
    const slash = value.indexOf("/");
    const domain = slash === -1 ? value : value.slice(0, slash);
    return trustDomains.includes(domain) && slash !== -1
      ? trustDomains.map((name) => `${name}${value.slice(slash)}`)
      : [value];
  });
  return matchesAny({ text: "source.principal" }, [...new Set(all)]);
}

function accountTest(accounts: readonly string[], { namespace }: RuleScope): string {
  const suffixes = accounts.map((account) => {
    const [first = "", second] = account.split("/");
    return second === undefined ? `*/ns/${namespace}/sa/${first}` : `*/ns/${first}/sa/${second}`;
  });
  return matchesAny({ text: "source.principal" }, suffixes);
}

/** Hosts are compared in lower case. The bag's host has no port: one in a value is compared with `request.port`. */
function hostTest(hosts: readonly string[]): string {
  return anyOf(
    hosts.map((host) => {
      const [, name = host, port] = /^(.+):(\d{1,5}|\*)$/.exec(host) ?? [];
      const test = matchesAny({ text: "request.host" }, [name.toLowerCase()]);
      if (port === undefined) return test;
      return allOf([test, port === "*" ? "$exists(request.port)" : `request.port = ${Number(port)}`]);
    }),
  );
}

function pathTest(paths: readonly string[]): string {
  const templates = paths.filter((path) => path.includes("{"));
  const others = paths.filter((path) => !path.includes("{"));
  return anyOf([
    ...(others.length === 0 ? [] : [matchesAny({ text: "request.url_path" }, others)]),
    ...templates.map((path) => {
      const template = path.replaceAll("{**}", "**").replaceAll("{*}", "*");
      return `$pathMatch(request.url_path, ${literal(template)})`;
    }),
  ]);
}
