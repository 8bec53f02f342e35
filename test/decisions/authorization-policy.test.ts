// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { checkText } from "../../cli/compose/part-config.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { decide } from "../../core/check/decide.ts";
import { planChecks } from "../../core/check/plan.ts";
import { formatDiagnostic } from "../../kernel/diagnostic.ts";
import { atOnce } from "../../kernel/maybe-promise.ts";

interface Written {
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec: object;
}

const BASE = {
  source: { ip: "10.0.0.1", port: 1 },
  origin: { ip: "203.0.113.9" },
  destination: {
    namespace: "shop",
    labels: { app: "reviews", version: "v1" },
    port: 8080,
    service: { name: "reviews", namespace: "shop", host: "reviews.shop.svc.cluster.local" },
  },
  request: {
    method: "GET",
    scheme: "http",
    host: "reviews.example.com",
    path: "/",
    url_path: "/",
    headers: {},
    time: "2026-01-01T00:00:00Z",
  },
  context: { protocol: "http", reporter: { kind: "inbound" } },
};

type Group = { readonly [name: string]: unknown };

/** BASE with the groups of `changes` laid over its own. */
function bagOf(changes: Readonly<Record<string, Group>> = {}): AttributeBag {
  const groups = Object.entries(changes).map(([name, group]) => {
    return [name, { ...(BASE as Record<string, Group>)[name], ...group }];
  });
  return { ...BASE, ...Object.fromEntries(groups) } as AttributeBag;
}

function checkedSet(policies: readonly Written[]) {
  const text = policies
    .map(({ namespace = "shop", annotations, spec }, index) =>
      JSON.stringify({
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: `p${index}`, namespace, ...(annotations && { annotations }) },
        spec,
      }),
    )
    .join("\n---\n");
  const checked = checkText({ path: "policies.yaml", text });
  assert.ok(
    checked.ok,
    checked.ok ? "" : checked.diagnostics.map((each) => formatDiagnostic(each)).join("\n"),
  );
  return checked;
}

function planOf(...policies: readonly Written[]) {
  return planChecks(checkedSet(policies).value);
}

const dispatch = { attributeSources: [], ask: () => undefined };

function decisionOf(policies: readonly Written[], bag: AttributeBag) {
  return atOnce(decide(planOf(...policies), bag, { nowMs: 0, dispatch }));
}

function allows(policies: readonly Written[], bag: AttributeBag): boolean {
  const { status, decidedBy } = decisionOf(policies, bag);
  if (status.code === "OK") return true;
  assert.equal(status.code, "PERMISSION_DENIED");
  assert.equal(decidedBy?.kind, "AuthorizationPolicy");
  return false;
}

const request = (changes: Group) => bagOf({ request: changes });
const to = (operation: object) => [{ to: [{ operation }] }];
const from = (source: object) => [{ from: [{ source }] }];

describe("AuthorizationPolicy", () => {
  it("allows nothing without rules, everything with an empty rule, and refuses nothing as a DENY without rules", () => {
    assert.equal(allows([{ spec: {} }], bagOf()), false);
    assert.equal(allows([{ spec: { action: "ALLOW" } }], bagOf()), false);
    assert.equal(allows([{ spec: { rules: [{}] } }], bagOf()), true);
    assert.equal(allows([{ spec: { action: "DENY" } }], bagOf()), true);
    assert.equal(allows([{ spec: { action: "DENY", rules: [{}] } }], bagOf()), false);
  });

  it("has no warning for *, which stands for any value", () => {
    const anyCaller = { principals: ["*"], requestPrincipals: ["*"], namespaces: ["*"] };
    const anyRequest = { hosts: ["*"], methods: ["*"], paths: ["*"] };
    const noCaller = { notPrincipals: ["*"], notRequestPrincipals: ["*"], notNamespaces: ["*"] };
    for (const action of ["ALLOW", "DENY"])
      for (const rules of [from(anyCaller), from(noCaller), to(anyRequest)])
        assert.deepEqual(checkedSet([{ spec: { action, rules } }]).warnings, []);
  });

  it("protects the workloads of its namespace, of its selector, or in the root namespace of the mesh", () => {
    const deny = (selector?: object) => ({ action: "DENY", rules: [{}], ...(selector && { selector }) });
    const label = (labels: object) => ({ matchLabels: labels });
    assert.equal(allows([{ namespace: "other", spec: deny() }], bagOf()), true);
    assert.equal(allows([{ spec: deny(label({ app: "reviews" })) }], bagOf()), false);
    assert.equal(allows([{ spec: deny(label({ app: "reviews", version: "v2" })) }], bagOf()), true);
    assert.equal(allows([{ spec: deny(label({ app: "ratings" })) }], bagOf()), true);
    assert.equal(allows([{ namespace: "istio-system", spec: deny() }], bagOf()), false);
    assert.equal(
      allows([{ namespace: "istio-system", spec: deny(label({ app: "reviews" })) }], bagOf()),
      false,
    );
    assert.equal(allows([{ namespace: "istio-system", spec: deny(label({ app: "x" })) }], bagOf()), true);
  });

  it("has Istio's order: DENY before ALLOW, and one ALLOW of several suffices", () => {
    const get = { spec: { rules: to({ methods: ["GET"] }) } };
    const post = { spec: { rules: to({ methods: ["POST"] }) } };
    const noAdmin = { spec: { action: "DENY", rules: to({ paths: ["/admin*"] }) } };
    assert.equal(allows([get, post], request({ method: "POST" })), true);
    assert.equal(allows([get, post], request({ method: "PUT" })), false);
    assert.equal(allows([get, noAdmin], request({ url_path: "/admin/x" })), false);
    assert.equal(allows([get, noAdmin], request({ url_path: "/a" })), true);
  });

  it("matches paths by their canonical form: whole, prefix, suffix and templates", () => {
    const cases: readonly (readonly [
      path: string,
      matching: readonly string[],
      others: readonly string[],
    ])[] = [
      ["/info", ["/info"], ["/info/", "/infos", "/Info"]],
      ["/info*", ["/info", "/info/a", "/information"], ["/inf"]],
      ["*/info", ["/info", "/a/info"], ["/info/a"]],
      ["*", ["/", "/a"], []],
      ["/a/{*}/c", ["/a/b/c"], ["/a/c", "/a//c", "/a/b/d/c", "/a/b"]],
      ["/a/{**}", ["/a/b", "/a/b/c", "/a/"], ["/a", "/b/a/"]],
      ["/{*}/x/{**}", ["/q/x/y/z"], ["/x/y", "/q/y/x/z"]],
    ];
    for (const [path, matching, others] of cases) {
      const deny = [{ spec: { action: "DENY", rules: to({ paths: [path] }) } }];
      for (const each of matching)
        assert.equal(allows(deny, request({ url_path: each })), false, `${path} ${each}`);
      for (const each of others)
        assert.equal(allows(deny, request({ url_path: each })), true, `${path} ${each}`);
    }
  });

  it("matches hosts in any case, with the port when the policy has one", () => {
    const only = (hosts: readonly string[]) => [{ spec: { rules: to({ hosts }) } }];
    const of = (host: string, port?: number) => request(port === undefined ? { host } : { host, port });
    assert.equal(allows(only(["Shop.Example.com"]), of("shop.example.com")), true);
    assert.equal(allows(only(["shop.example.com"]), of("shop.example.com", 8080)), true);
    assert.equal(allows(only(["shop.example.com:8080"]), of("shop.example.com", 8080)), true);
    assert.equal(allows(only(["shop.example.com:8080"]), of("shop.example.com", 80)), false);
    assert.equal(allows(only(["shop.example.com:8080"]), of("shop.example.com")), false);
    assert.equal(allows(only(["shop.example.com:*"]), of("shop.example.com", 1)), true);
    assert.equal(allows(only(["*.example.com"]), of("a.b.example.com")), true);
    assert.equal(allows(only(["*.example.com"]), of("example.com")), false);
    assert.equal(allows(only(["shop.*"]), of("shop.org")), true);
  });

  it("knows callers by certificate, namespace, service account and token", () => {
    const web = bagOf({ source: { principal: "cluster.local/ns/web/sa/front", namespace: "web" } });
    const user = request({ auth: { principal: "https://issuer/ann" } });
    const only = (source: object) => [{ spec: { rules: from(source) } }];
    const cases: readonly (readonly [object, web: boolean, user: boolean])[] = [
      [{ principals: ["cluster.local/ns/web/sa/front"] }, true, false],
      [{ principals: ["*/sa/front"] }, true, false],
      [{ principals: ["*"] }, true, false],
      [{ notPrincipals: ["*"] }, false, true],
      [{ notPrincipals: ["cluster.local/ns/web/*"] }, false, true],
      [{ namespaces: ["web"] }, true, false],
      [{ notNamespaces: ["web"] }, false, true],
      [{ serviceAccounts: ["web/front"] }, true, false],
      [{ serviceAccounts: ["front"] }, false, false],
      [{ notServiceAccounts: ["web/front"] }, false, true],
      [{ requestPrincipals: ["*"] }, false, true],
      [{ requestPrincipals: ["https://issuer/*"] }, false, true],
      [{ notRequestPrincipals: ["*"] }, true, false],
      [{ principals: ["*"], requestPrincipals: ["*"] }, false, false],
      [{ ipBlocks: ["10.0.0.0/24"] }, true, true],
      [{ notIpBlocks: ["10.0.0.1"] }, false, false],
      [{ remoteIpBlocks: ["203.0.113.0/24"] }, true, true],
      [{ notRemoteIpBlocks: ["203.0.113.0/28"] }, false, false],
    ];
    for (const [source, byWeb, byUser] of cases) {
      assert.equal(allows(only(source), web), byWeb, `web ${JSON.stringify(source)}`);
      assert.equal(allows(only(source), user), byUser, `user ${JSON.stringify(source)}`);
    }
  });

  it("has conditions on headers, claims, addresses, ports and server names", () => {
    const bag = bagOf({
      request: {
        headers: { "x-team": "books", "x-empty": "" },
        auth: {
          principal: "i/s",
          presenter: "app",
          claims: {
            aud: ["shop", "mobile"],
            groups: ["staff", 7, "editors"],
            scope: "read write",
            role: "admin",
            realm_access: { roles: ["r1", "r2"] },
            level: 3,
          },
        },
      },
      connection: { id: "1", mtls: false, requested_server_name: "shop.example.com" },
      source: { principal: "cluster.local/ns/web/sa/front", namespace: "web" },
      destination: { ip: "10.1.2.3" },
    });
    const cases: readonly (readonly [string, readonly string[], boolean])[] = [
      ["request.headers[X-Team]", ["books"], true],
      ["request.headers[x-team]", ["boo*"], true],
      ["request.headers[x-team]", ["*oks"], true],
      ["request.headers[x-team]", ["*"], true],
      ["request.headers[x-empty]", ["*"], false],
      ["request.headers[x-none]", ["*"], false],
      ["request.auth.claims[groups]", ["editors"], true],
      ["request.auth.claims[groups]", ["edit*"], true],
      ["request.auth.claims[groups]", ["7"], false],
      ["request.auth.claims[groups]", ["guests", "*rs"], true],
      ["request.auth.claims[scope]", ["write"], true],
      ["request.auth.claims[scope]", ["read write"], false],
      ["request.auth.claims[role]", ["admin"], true],
      ["request.auth.claims[role]", ["adm*"], true],
      ["request.auth.claims[realm_access][roles]", ["r2"], true],
      ["request.auth.claims[realm_access][roles]", ["r3"], false],
      ["request.auth.claims[level]", ["*"], false],
      ["request.auth.claims[none][deep]", ["*"], false],
      ["request.auth.audiences", ["mobile"], true],
      ["request.auth.audiences", ["web"], false],
      ["request.auth.presenter", ["app"], true],
      ["request.auth.principal", ["i/s"], true],
      ["source.ip", ["10.0.0.0/8"], true],
      ["remote.ip", ["10.0.0.0/8"], false],
      ["source.namespace", ["web"], true],
      ["source.principal", ["cluster.local/ns/web/sa/front"], true],
      ["destination.ip", ["10.1.0.0/16"], true],
      ["destination.port", ["80", "8080"], true],
      ["destination.port", ["80"], false],
      ["connection.sni", ["*.example.com"], true],
    ];
    for (const [key, values, holds] of cases) {
      const text = `${key} ${values.join()}`;
      assert.equal(allows([{ spec: { rules: [{ when: [{ key, values }] }] } }], bag), holds, text);
      assert.equal(
        allows([{ spec: { rules: [{ when: [{ key, notValues: values }] }] } }], bag),
        !holds,
        text,
      );
    }
  });

  it("decides each value of a repeated header", () => {
    const bag = request({
      headers: { "x-role": "user,admin" },
      repeated_headers: { "x-role": ["user", "admin"] },
    });
    const deny = {
      action: "DENY",
      rules: [{ when: [{ key: "request.headers[x-role]", values: ["admin"] }] }],
    };
    assert.equal(allows([{ spec: deny }], bag), false);
    const allow = { rules: [{ when: [{ key: "request.headers[x-role]", values: ["user"] }] }] };
    assert.equal(allows([{ spec: allow }], bag), false);
  });

  it("refuses too much of TCP, not too little: DENY leaves out conditions of HTTP, ALLOW never holds by them", () => {
    const { request: _, ...others } = BASE;
    const tcp = { ...others, context: { ...BASE.context, protocol: "tcp" } } as AttributeBag;
    const methods = to({ methods: ["GET"], ports: ["8080"] });
    assert.equal(allows([{ spec: { action: "DENY", rules: methods } }], tcp), false);
    assert.equal(
      allows([{ spec: { action: "DENY", rules: to({ methods: ["GET"], ports: ["9"] }) } }], tcp),
      true,
    );
    assert.equal(allows([{ spec: { action: "DENY", rules: to({ notPaths: ["/a"] }) } }], tcp), false);
    assert.equal(allows([{ spec: { rules: methods } }], tcp), false);
    assert.equal(allows([{ spec: { rules: to({ notPaths: ["/a"] }) } }], tcp), false);
    assert.equal(allows([{ spec: { rules: from({ notRequestPrincipals: ["*"] }) } }], tcp), false);
    assert.equal(allows([{ spec: { rules: to({ ports: ["8080"] }) } }], tcp), true);
  });

  it("protects an edge, which asks for it alone when a sidecar behind it decides the rest", () => {
    const gateway = { namespace: "default", labels: { istio: "ingressgateway" } };
    const edge = bagOf({
      destination: { namespace: undefined, labels: undefined, port: undefined },
      context: { gateway: { ...gateway, only: true } },
    });
    const whole = bagOf({ context: { gateway } });
    const selector = { matchLabels: { istio: "ingressgateway" } };
    const ofEdge = {
      namespace: "istio-system",
      spec: { action: "DENY", selector, rules: to({ paths: ["/x"] }) },
    };
    const ofReviews = { spec: { action: "DENY", rules: to({ paths: ["/y"] }) } };
    const at = (bag: AttributeBag, path: string) =>
      ({ ...bag, request: { ...BASE.request, url_path: path } }) as AttributeBag;
    for (const [bag, path, passes] of [
      [edge, "/x", false],
      [edge, "/y", true],
      [whole, "/x", false],
      [whole, "/y", false],
      [bagOf(), "/x", true],
      [bagOf(), "/y", false],
    ] as const)
      assert.equal(allows([ofEdge, ofReviews], at(bag, path)), passes, path);
  });

  it("is counted and not enforced with Istio's annotation for dry runs", () => {
    const decided = (dryRun: string) => {
      const annotations = { "istio.io/dry-run": dryRun };
      return decisionOf([{ annotations, spec: { action: "DENY", rules: [{}] } }], bagOf());
    };
    for (const isTrue of ["true", "True", "1"]) {
      const { status, shadowDenials } = decided(isTrue);
      assert.equal(status.code, "OK");
      assert.deepEqual(shadowDenials, [{ kind: "AuthorizationPolicy", name: "shop/p0" }]);
    }
    for (const isNot of ["false", "0", "yes", "tRuE", ""])
      assert.equal(decided(isNot).status.code, "PERMISSION_DENIED");
  });

  it("asks the provider of CUSTOM about the requests for which a rule holds, and about no others", () => {
    const text = [
      {
        apiVersion: "purser.dev/v1",
        kind: "Handler",
        metadata: { name: "who-may", namespace: "shop" },
        spec: { adapter: "rbac", config: { roles: {}, bindings: [] } },
      },
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "ask", namespace: "shop" },
        spec: { action: "CUSTOM", provider: { name: "who-may" }, rules: to({ paths: ["/admin*"] }) },
      },
    ]
      .map((document) => JSON.stringify(document))
      .join("\n---\n");
    const checked = checkText({ path: "policies.yaml", text });
    assert.ok(checked.ok, JSON.stringify(checked));
    const asked: unknown[] = [];
    const ask = (handler: string, template: string, instance: unknown) => {
      asked.push([handler, template, instance]);
      return { status: { code: "PERMISSION_DENIED" as const, message: "no" } };
    };
    const decided = (path: string) =>
      atOnce(
        decide(planChecks(checked.value), request({ url_path: path, path, auth: { principal: "i/ann" } }), {
          nowMs: 0,
          dispatch: { attributeSources: [], ask },
        }),
      );
    assert.equal(decided("/").status.code, "OK");
    assert.deepEqual(asked, []);
    const refused = decided("/admin");
    assert.equal(refused.status.code, "PERMISSION_DENIED");
    assert.deepEqual(refused.decidedBy, { kind: "AuthorizationPolicy", name: "shop/ask" });
    assert.deepEqual(asked, [
      [
        "shop/who-may",
        "authorization",
        {
          name: "authorization",
          subject: { user: "i/ann", properties: { address: "10.0.0.1" } },
          action: {
            namespace: "shop",
            service: "reviews",
            method: "GET",
            path: "/admin",
            properties: { host: "reviews.example.com" },
          },
        },
      ],
    ]);
  });

  it("refuses where the provider of CUSTOM is no Handler, with a located warning, and nothing else", () => {
    const document = (annotations: object) =>
      JSON.stringify({
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "ask", namespace: "shop", annotations },
        spec: { action: "CUSTOM", provider: { name: "who-my" }, rules: to({ paths: ["/admin*"] }) },
      });
    const planned = (text: string) => {
      const checked = checkText({ path: "policies.yaml", text });
      assert.ok(checked.ok, JSON.stringify(checked));
      assert.match(
        checked.warnings.map((warning) => formatDiagnostic(warning)).join(),
        /policies\.yaml:1:\d+: warning: There is no Handler "who-my": .*refused.*PURSER_REF_UNRESOLVED/,
      );
      return planChecks(checked.value);
    };
    const decided = (plan: ReturnType<typeof planned>, path: string) =>
      atOnce(
        decide(plan, request({ url_path: path, path }), {
          nowMs: 0,
          dispatch: { attributeSources: [], ask: () => assert.fail("There is no handler to ask") },
        }),
      );
    const plan = planned(document({}));
    assert.equal(decided(plan, "/").status.code, "OK");
    const refused = decided(plan, "/admin");
    assert.deepEqual(refused.status, {
      code: "PERMISSION_DENIED",
      message: "The policy asks a handler that is not declared",
    });
    assert.deepEqual(refused.decidedBy, { kind: "AuthorizationPolicy", name: "shop/ask" });
    const dry = decided(planned(document({ "istio.io/dry-run": "true" })), "/admin");
    assert.equal(dry.status.code, "OK");
    assert.deepEqual(dry.shadowDenials, [{ kind: "AuthorizationPolicy", name: "shop/ask" }]);
  });

  it("protects the edges of the Gateways in targetRefs, and no sidecar", () => {
    const targetRefs = [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "public" }];
    const policies: readonly Written[] = [{ spec: { action: "DENY", targetRefs, rules: [{}] } }];
    const edge = (labels: object) => bagOf({ context: { gateway: { namespace: "default", labels } } });
    const named = (name: string) => edge({ "gateway.networking.k8s.io/gateway-name": name });
    assert.equal(allows(policies, edge({ istio: "ingressgateway" })), false);
    assert.equal(allows(policies, named("public")), false);
    assert.equal(allows(policies, named("private")), true);
    assert.equal(allows(policies, bagOf()), true);
  });

  it("records with AUDIT", () => {
    const { status, audits } = decisionOf([{ spec: { action: "AUDIT", rules: [{}] } }], bagOf());
    assert.equal(status.code, "OK");
    assert.deepEqual(audits, [{ kind: "AuthorizationPolicy", name: "shop/p0" }]);
  });
});

// An independent reading of Istio's reference, over the attributes themselves.

interface Facts {
  readonly principal: string | undefined;
  readonly user: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly header: string | undefined;
}

const text = fc.constantFrom("a", "ab", "b", "/a", "/a/b", "abc");
const pattern = fc.oneof(
  text,
  text.map((value) => `${value}*`),
  text.map((value) => `*${value}`),
  fc.constant("*"),
);
const patterns = fc.array(pattern, { minLength: 1, maxLength: 3 });
const pathPatterns = fc.array(
  fc.oneof(
    fc.constantFrom("/a", "/a/b", "/b", "/a*", "/*", "*b", "*/b", "*", "/{*}/b", "/a/{**}"),
    fc.constant("/c"),
  ),
  { minLength: 1, maxLength: 3 },
);
const source = fc.record(
  {
    principals: patterns,
    notPrincipals: patterns,
    requestPrincipals: patterns,
    notRequestPrincipals: patterns,
  },
  { requiredKeys: [] },
);
const methods = fc.array(fc.constantFrom("GET", "POST", "P*", "*T", "*"), { minLength: 1, maxLength: 2 });
const operation = fc.record(
  { methods, notMethods: methods, paths: pathPatterns, notPaths: pathPatterns },
  { requiredKeys: [] },
);
const isFull = (value: object) => Object.keys(value).length > 0;
const condition = fc
  .record({ values: patterns, notValues: patterns }, { requiredKeys: [] })
  .filter(isFull)
  .map((lists) => ({ key: "request.headers[x]", ...lists }));
const rule = fc.record(
  {
    from: fc.array(
      source.filter(isFull).map((each) => ({ source: each })),
      { minLength: 1, maxLength: 2 },
    ),
    to: fc.array(
      operation.filter(isFull).map((each) => ({ operation: each })),
      { minLength: 1, maxLength: 2 },
    ),
    when: fc.array(condition, { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const policy = fc.record({
  action: fc.constantFrom("ALLOW", "DENY"),
  rules: fc.option(fc.array(rule, { minLength: 1, maxLength: 3 }), { nil: undefined }),
});
const facts: fc.Arbitrary<Facts> = fc.record({
  principal: fc.option(text, { nil: undefined }),
  user: fc.option(text, { nil: undefined }),
  method: fc.constantFrom("GET", "POST", "PUT"),
  path: fc.constantFrom("/a", "/a/b", "/b", "/a/b/c", "/", "/ab", "/c/b"),
  header: fc.option(fc.constantFrom("", "a", "ab", "abc", "/a"), { nil: undefined }),
});

type Lists = { readonly [field: string]: readonly string[] | undefined };

function matchesOne(value: string | undefined, one: string): boolean {
  if (value === undefined) return false;
  if (one === "*") return value !== "";
  if (one.startsWith("*")) return value.endsWith(one.slice(1));
  if (one.endsWith("*")) return value.startsWith(one.slice(0, -1));
  if (one === "/{*}/b") return /^\/[^/]+\/b$/.test(value);
  if (one === "/a/{**}") return value.startsWith("/a/");
  return value === one;
}

function fieldHolds(value: string | undefined, lists: Lists, field: string): boolean {
  const negation = `not${field[0]?.toUpperCase()}${field.slice(1)}`;
  const any = (values: readonly string[]) => values.some((one) => matchesOne(value, one));
  const wanted = lists[field];
  const unwanted = lists[negation];
  return (wanted === undefined || any(wanted)) && (unwanted === undefined || !any(unwanted));
}

type Rule = { from?: { source: Lists }[]; to?: { operation: Lists }[]; when?: (Lists & { key: unknown })[] };

function ruleHolds({ from: sources, to: operations, when = [] }: Rule, given: Facts): boolean {
  const ofSource = (lists: Lists) =>
    fieldHolds(given.principal, lists, "principals") && fieldHolds(given.user, lists, "requestPrincipals");
  const ofOperation = (lists: Lists) =>
    fieldHolds(given.method, lists, "methods") && fieldHolds(given.path, lists, "paths");
  return (
    (sources === undefined || sources.some((each) => ofSource(each.source))) &&
    (operations === undefined || operations.some((each) => ofOperation(each.operation))) &&
    when.every((lists) => fieldHolds(given.header, lists as Lists, "values"))
  );
}

function passes(
  policies: readonly { action: string; rules?: readonly Rule[] | undefined }[],
  given: Facts,
): boolean {
  const holds = ({ rules = [] }: { rules?: readonly Rule[] | undefined }) =>
    rules.some((each) => ruleHolds(each, given));
  const of = (action: string) => policies.filter((each) => each.action === action);
  if (of("DENY").some(holds)) return false;
  return of("ALLOW").length === 0 || of("ALLOW").some(holds);
}

describe("random AuthorizationPolicies", () => {
  it("decide as a direct reading of Istio's reference does", () => {
    const runs = Number(process.env["AUTHORIZATION_RUNS"] ?? 60);
    fc.assert(
      fc.property(
        fc.array(policy, { minLength: 1, maxLength: 4 }),
        fc.array(facts, { minLength: 1, maxLength: 8 }),
        (policies, all) => {
          const plan = planOf(
            ...policies.map(({ action, rules }) => ({ spec: { action, ...(rules && { rules }) } })),
          );
          for (const given of all) {
            const bag = bagOf({
              source: given.principal === undefined ? {} : { principal: given.principal },
              request: {
                method: given.method,
                url_path: given.path,
                headers: given.header === undefined ? {} : { x: given.header },
                ...(given.user === undefined ? {} : { auth: { principal: given.user } }),
              },
            });
            const { status } = atOnce(decide(plan, bag, { nowMs: 0, dispatch }));
            assert.equal(status.code === "OK", passes(policies as never, given), JSON.stringify(given));
          }
        },
      ),
      { numRuns: runs },
    );
  });
});
