// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { checkText } from "../../cli/compose/part-config.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { decide } from "../../core/check/decide.ts";
import { planChecks } from "../../core/check/plan.ts";
import { atOnce } from "../../kernel/maybe-promise.ts";
import { readText } from "../../test/support/documentation.ts";
import { documentText } from "./document-text.ts";
import { importRateLimit } from "./import-ratelimit.ts";

const CONFIG = `domain: shop
descriptors:
  - key: user
    rate_limit: { unit: minute, requests_per_unit: 10 }
`;

const USER = "request_headers: { header_name: X-User, descriptor_key: user }";

/** A document with one list of these actions. */
const lists = (...actions: string[]) =>
  `rate_limits: [{ actions: [${actions.map((a) => `{ ${a} }`).join()}] }]\n`;

interface Input {
  readonly config?: string;
  readonly actions?: string | undefined;
  readonly expressions?: Readonly<Record<string, string>>;
  readonly match?: string;
}

function run({ config = CONFIG, actions, expressions = {}, match }: Input) {
  return importRateLimit({
    config: { path: "c.yaml", text: config },
    ...(actions === undefined ? {} : { actions: { path: "e.yaml", text: actions } }),
    expressions: new Map(Object.entries(expressions)),
    ...(match === undefined ? {} : { match }),
  });
}

/** The specs of the policies. */
function specs(input: Input) {
  const imported = run(input);
  assert.ok(imported.ok, imported.ok ? "" : JSON.stringify(imported.diagnostics, undefined, 1));
  return imported.value.map(({ spec }) => spec);
}

/** Errors, or warnings if there are none, as line:column message. */
function faults(input: Input): readonly string[] {
  const imported = run(input);
  const found = imported.ok ? imported.warnings : imported.diagnostics;
  return found.map(
    ({ location: { file, line, column }, message, suggestion }) =>
      `${file}:${line}:${column} ${message}${suggestion === undefined ? "" : ` (${suggestion})`}`,
  );
}

/** Keys and amounts charged to a request, by policy. */
function charges(input: Input, bag: unknown): readonly string[] {
  const imported = run(input);
  assert.ok(imported.ok, imported.ok ? "" : JSON.stringify(imported.diagnostics, undefined, 1));
  const text = imported.value.map(documentText).join("---\n");
  const checked = checkText({ path: "out.yaml", text });
  assert.ok(checked.ok, checked.ok ? "" : `${JSON.stringify(checked.diagnostics, undefined, 1)}\n${text}`);
  const dispatch = { attributeSources: [], ask: () => undefined };
  const decision = atOnce(decide(planChecks(checked.value), bag as AttributeBag, { nowMs: 0, dispatch }));
  return decision.charges.map(({ cell, amount }) => (amount === 1 ? cell : `${cell} ${amount}`));
}

const headers = (values: Readonly<Record<string, string>>) => ({ request: { headers: values } });

describe("importing envoyproxy/ratelimit: the configuration", () => {
  it("makes the documents that its guide shows", () => {
    const [config, actions, expected] = [
      ...readText("docs/guides/import-ratelimit.md").matchAll(/```yaml[^\n]*\n(.*?)```/gs),
    ].map(([, block]) => block as string);
    const imported = importRateLimit({
      config: { path: "ratelimit.yaml", text: config ?? "" },
      actions: { path: "envoy.yaml", text: actions ?? "" },
      expressions: new Map(),
    });
    assert.ok(imported.ok);
    assert.equal(imported.value.map(documentText).join("---\n"), expected);
  });

  it("carries units over as the service's fixed lengths", () => {
    const units = ["second", "Minute", "HOUR", "day", "week", "month", "year"];
    const nodes = units.map(
      (unit) => `  - { key: ${unit}, rate_limit: { unit: ${unit}, requests_per_unit: 2 } }\n`,
    );
    const expressions = Object.fromEntries(units.map((unit) => [unit, "request.method"]));
    const made = specs({ config: `domain: d\ndescriptors:\n${nodes.join("")}`, expressions });
    assert.deepEqual(
      made.map(({ window }) => window),
      ["1s", "1m", "1h", "1d", "7d", "30d", "365d"],
    );
    assert.ok(made.every(({ algorithm, limit }) => algorithm === "fixed-window" && limit === 2));
  });

  it("reads a value as it is written, and refuses all requests without requests_per_unit", () => {
    const config = "domain: d\ndescriptors: [{ key: k, value: 007, rate_limit: { unit: day } }]\n";
    const [spec] = specs({ config, expressions: { k: "request.method" } });
    assert.match(String(spec?.match), /= "007"$/);
    assert.equal(spec?.limit, 0);
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["descriptors: []\n", /^c\.yaml:1:1 domain is missing or empty$/],
    ["domain: d\nlimits: 1\n", /^c\.yaml:2:9 there is no field "limits" here$/],
    ["domain: d\ndescriptors: { a: 1 }\n", /^c\.yaml:2:14 a list is needed here$/],
    ["domain: d\ndescriptors: [x]\n", /^c\.yaml:2:15 a map of key, value/],
    ["domain: d\ndescriptors: [{ value: x }]\n", /^c\.yaml:2:15 key is missing or empty$/],
    ["domain: d\ndescriptors: [{ key: [x] }]\n", /^c\.yaml:2:22 key must be a text$/],
    ["domain: d\ndescriptors: [{ key: k, valeu: x }]\n", /2:32 there is no field "valeu" here \(value\)$/],
    ["domain: d\ndescriptors: [{ key: k_x }, { key: k, value: x }]\n", /2:29 two descriptors .* "k_x"$/],
    ["domain: d\ndescriptors: [{ key: k, shadow_mode: yes }]\n", /2:38 shadow_mode must be true or false$/],
    ["domain: d\ndescriptors: [{ key: k, share_threshold: true }]\n", /2:42 share_threshold needs a value/],
    ["domain: d\ndescriptors: [{ key: k, rate_limit: {} }]\n", /2:37 unit is missing: second, minute/],
    [
      "domain: d\ndescriptors: [{ key: k, rate_limit: { unit: mintue } }]\n",
      /2:45 there is no unit "mintue": .* \(minute\)$/,
    ],
    ["domain: d\ndescriptors: [{ key: k, rate_limit: { unit: unknown } }]\n", /there is no unit "unknown"/],
    [
      "domain: d\ndescriptors: [{ key: k, rate_limit: { unit: day, unlimited: true } }]\n",
      /2:45 a limit that is unlimited/,
    ],
    [
      "domain: d\ndescriptors: [{ key: k, rate_limit: { unit: day, requests_per_unit: -1 } }]\n",
      /2:69 requests_per_unit must be a whole number/,
    ],
    [
      "domain: d\ndescriptors: [{ key: k, rate_limit: { unit: day, requests_per_unit: 4000000000 } }]\n",
      /2:69 the limit of a QuotaPolicy is at most 1000000000$/,
    ],
    [
      "domain: d\ndescriptors: [{ key: k, rate_limit: { unit: day, name: n, replaces: [{ name: n }] } }]\n",
      /2:70 a limit cannot replace itself$/,
    ],
    [
      "domain: d\ndescriptors: [{ key: k, rate_limit: { unit: day, replaces: [{}] } }]\n",
      /2:61 name is missing or empty$/,
    ],
    ["domain: d\n---\ndomain: e\n", /^c\.yaml:3:1 a second document in the file/],
    ["# nothing\n", /^c\.yaml:1:1 the file has no YAML document$/],
    ["a: [\n", /^c\.yaml:/],
  ];
  for (const [config, expected] of wrong)
    it(`refuses ${JSON.stringify(config)}`, () => {
      const found = faults({ config, expressions: { k: "request.method", k_x: "request.method" } });
      assert.match(found[0] ?? "", expected);
    });

  it("warns of parts that only change statistics, and of quota_mode", () => {
    const config = `domain: d
descriptors:
  - { key: k, detailed_metric: true, value_to_metric: true, quota_mode: true, rate_limit: { unit: day, requests_per_unit: 1 } }
`;
    const found = faults({ config, expressions: { k: "request.method" } });
    assert.deepEqual(
      found.map((text) => /^c\.yaml:3:\d+ (\w+)/.exec(text)?.[1]),
      ["detailed_metric", "value_to_metric", "quota_mode"],
    );
    assert.equal(specs({ config, expressions: { k: "request.method" } })[0]?.mode, "shadow");
  });
});

describe("importing envoyproxy/ratelimit: descriptors", () => {
  it("limits no request without the header", () => {
    assert.deepEqual(charges({ actions: lists(USER) }, headers({})), []);
    assert.deepEqual(charges({ actions: lists(USER) }, headers({ "x-user": "ada" })), [
      'shop.user{"user":"ada"}',
    ]);
  });

  it("sends the other entries when an absent entry may be skipped", () => {
    const skip = "request_headers: { header_name: x-user, descriptor_key: user, skip_if_absent: true }";
    const config = `domain: d
descriptors:
  - key: generic_key
    value: all
    rate_limit: { unit: day, requests_per_unit: 1 }
    descriptors: [{ key: user, rate_limit: { unit: day, requests_per_unit: 2 } }]
`;
    const input = { config, actions: lists("generic_key: { descriptor_value: all }", skip) };
    assert.deepEqual(charges(input, headers({})), ["d.generic_key_all{}"]);
    assert.deepEqual(charges(input, headers({ "x-user": "a" })), ['d.generic_key_all.user{"user":"a"}']);
  });

  const one = (key: string) =>
    `domain: d\ndescriptors: [{ key: ${key}, rate_limit: { unit: day, requests_per_unit: 1 } }]\n`;
  const carried: readonly (readonly [string, string, unknown, readonly string[]])[] = [
    [
      "remote_address: {}",
      "remote_address",
      { origin: { ip: "10.0.0.1" } },
      ['{"remote_address":"10.0.0.1"}'],
    ],
    ["remote_address: {}", "remote_address", {}, []],
    [
      "masked_remote_address: { v4_prefix_mask_len: 12 }",
      "masked_remote_address",
      { origin: { ip: "10.37.2.3" } },
      ['{"masked_remote_address":"10.32.0.0/12"}'],
    ],
    [
      "masked_remote_address: { v6_prefix_mask_len: 64 }",
      "masked_remote_address",
      { origin: { ip: "2001:db8::1:0:0:1" } },
      ['{"masked_remote_address":"2001:db8::/64"}'],
    ],
    [
      "masked_remote_address: {}",
      "masked_remote_address",
      { origin: { ip: "2001:db8::1" } },
      ['{"masked_remote_address":"2001:db8::1/128"}'],
    ],
    [
      "source_cluster: {}",
      "source_cluster",
      { source: { workload: { name: "w" } } },
      ['{"source_cluster":"w"}'],
    ],
    [
      "destination_cluster: {}",
      "destination_cluster",
      { destination: { service: { name: "s" } } },
      ['{"destination_cluster":"s"}'],
    ],
    [
      "request_headers: { header_name: ':path', descriptor_key: p }",
      "p",
      { request: { path: "/a?b" } },
      ['{"p":"/a?b"}'],
    ],
    [
      "request_headers: { header_name: ':method', descriptor_key: m, skip_if_absent: true }",
      "m",
      { request: { method: "GET" } },
      ['{"m":"GET"}'],
    ],
    [
      "request_headers: { header_name: ':authority', descriptor_key: h }",
      "h",
      { request: { host: "shop" } },
      ['{"h":"shop"}'],
    ],
    [
      "query_parameters: { query_parameter_name: q, descriptor_key: q }",
      "q",
      { request: { query_params: { q: "1" } } },
      ['{"q":"1"}'],
    ],
    ["generic_key: { descriptor_value: all, descriptor_key: g }", "g", {}, ["{}"]],
    [
      "metadata: { descriptor_key: sub, metadata_key: { key: envoy.filters.http.jwt_authn, path: [{ key: payload }, { key: sub }] } }",
      "sub",
      { request: { auth: { claims: { sub: "ada" } } } },
      ['{"sub":"ada"}'],
    ],
    [
      "dynamic_metadata: { descriptor_key: sub, default_value: none, metadata_key: { key: envoy.filters.http.jwt_authn, path: [{ key: payload }, { key: sub }] } }",
      "sub",
      { request: { auth: { claims: { sub: 7 } } } },
      ['{"sub":"none"}'],
    ],
  ];
  for (const [action, key, bag, cells] of carried)
    it(`carries over ${action} for ${JSON.stringify(bag)}`, () => {
      const found = charges({ config: one(key), actions: lists(action) }, bag);
      assert.deepEqual(
        found.map((cell) => cell.slice(cell.indexOf("{"))),
        cells,
      );
    });

  const matchers: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["exact_match: abc", ["abc"], ["ab"]],
    ["exact_match: ''", ["", "x"], []],
    ["prefix_match: ab", ["abc"], ["cab"]],
    ["suffix_match: bc", ["abc"], ["bca"]],
    ["contains_match: b", ["abc"], ["ac"]],
    ["present_match: true", ["", "x"], []],
    ["present_match: false", [], ["x"]],
    ["safe_regex_match: { regex: 'a|b/c' }", ["a", "b/c"], ["ab", "a/c"]],
    ["range_match: { start: -5, end: 10 }", ["-5", "007", "9"], ["10", "-6", "x", "1.5"]],
    ["string_match: { exact: AbC, ignore_case: true }", ["abc", "ABC"], ["ab"]],
    ["string_match: { safe_regex: { regex: 'a+' } }", ["aa"], ["ab"]],
    ["exact_match: abc, invert_match: true", ["ab"], ["abc"]],
    ["present_match: true, invert_match: true", [], ["x"]],
  ];
  for (const [matcher, held, refused] of matchers)
    it(`matches a header by ${matcher}`, () => {
      const action = `header_value_match: { descriptor_value: v, headers: [{ name: x-h, ${matcher} }] }`;
      const input = { config: one("header_match"), actions: lists(action) };
      const isHeld = (value: string) => charges(input, headers({ "x-h": value })).length === 1;
      assert.deepEqual(
        held.map(isHeld),
        held.map(() => true),
      );
      assert.deepEqual(
        refused.map(isHeld),
        refused.map(() => false),
      );
      const isAbsenceHeld =
        matcher === "present_match: false" || matcher.startsWith("present_match: true, invert");
      assert.equal(charges(input, headers({})).length === 1, isAbsenceHeld);
    });

  it("matches query parameters, expected or not", () => {
    const action = (expected: boolean) =>
      `query_parameter_value_match: { descriptor_value: v, expect_match: ${expected}, query_parameters: [{ name: q, string_match: { prefix: a } }, { name: r, present_match: true }] }`;
    const count = (expected: boolean, query_params: object) =>
      charges({ config: one("query_match"), actions: lists(action(expected)) }, { request: { query_params } })
        .length;
    assert.deepEqual(
      [count(true, { q: "ab", r: "" }), count(true, { q: "b", r: "" }), count(true, {})],
      [1, 0, 0],
    );
    assert.deepEqual(
      [count(false, { q: "ab", r: "" }), count(false, { q: "b", r: "" }), count(false, {})],
      [0, 1, 1],
    );
    const absent =
      "query_parameter_value_match: { descriptor_value: v, query_parameters: [{ name: q, present_match: false }] }";
    assert.equal(charges({ config: one("query_match"), actions: lists(absent) }, { request: {} }).length, 1);
  });

  const unsupported: readonly (readonly [string, RegExp])[] = [
    [lists("extension: { name: x }"), /1:40 the action extension has no counterpart$/],
    [lists("remote_address: {}, generic_key: {}"), /1:27 an action is a map with one field/],
    [lists("generic_key: { descriptor_value: '%REQ(x)%' }"), /the command operator in "%REQ\(x\)%"/],
    [
      lists("request_headers: { header_name: ':status', descriptor_key: k }"),
      /the header :status has no attribute$/,
    ],
    [
      lists("metadata: { descriptor_key: k, metadata_key: { key: x } }"),
      /metadata has no attribute: .* --entry 'k=EXPRESSION'/,
    ],
    [lists("header_value_match: { descriptor_value: v }"), /headers is missing or empty$/],
    [
      lists(
        "header_value_match: { descriptor_value: v, headers: [{ name: h, treat_missing_header_as_empty: true }] }",
      ),
      /treat_missing_header_as_empty has no counterpart$/,
    ],
    [
      lists(
        "header_value_match: { descriptor_value: v, headers: [{ name: h, safe_regex_match: { regex: '(?i)x' } }] }",
      ),
      /the pattern "\(\?i\)x" has a construct of RE2/,
    ],
    [
      lists(
        "header_value_match: { descriptor_value: v, headers: [{ name: h, safe_regex_match: { regex: '(' } }] }",
      ),
      /the pattern "\(" has/,
    ],
    [
      lists("header_value_match: { descriptor_value: v, headers: [{ name: h, string_match: {} }] }"),
      /a string matcher needs one of/,
    ],
    ["rate_limits: [{ actions: [] }]\n", /1:15 actions is missing or empty$/],
    [
      "rate_limits: [{ actions: [{ remote_address: {} }], disable_key: k }]\n",
      /disable_key has no counterpart$/,
    ],
    [
      "rate_limits: [{ actions: [{ remote_address: {} }], limit: { dynamic_metadata: {} } }]\n",
      /limit has no counterpart$/,
    ],
    ["rate_limits: [{ actions: [{ remote_address: {} }], stage: 1 }]\n", /limits of another stage/],
    [
      "rate_limits: [{ actions: [{ remote_address: {} }], hits_addend: { format: '%X%' } }]\n",
      /hits_addend with a format/,
    ],
    [
      `rate_limits: [{ actions: [${Array.from({ length: 7 }, (_, i) => `{ request_headers: { header_name: h${i}, descriptor_key: k, skip_if_absent: true } }`).join()}] }]\n`,
      /more than 6 actions with skip_if_absent/,
    ],
    ["a: 1\n", /1:1 there is no list rate_limits in the document$/],
    [`a: { rate_limits: [] }\nb: { rate_limits: [] }\n`, /2:19 a second list rate_limits, besides line 1/],
    [
      `virtual_hosts: [{ domains: [shop], rate_limits: [{ actions: [{ ${USER} }] }] }]\n`,
      /1:28 the limits apply only to this route/,
    ],
    [
      `routes: [{ match: { prefix: /api }, route: { rate_limits: [{ actions: [{ ${USER} }] }] } }]\n`,
      /1:19 the limits apply only to this route/,
    ],
  ];
  for (const [actions, expected] of unsupported)
    it(`refuses ${actions.slice(0, 90).trim()}`, () => {
      assert.match(faults({ actions }).join("\n"), new RegExp(`e\\.yaml:.*${expected.source}`, "m"));
    });

  it("takes a route's limits with its condition", () => {
    const actions = `routes: [{ match: { prefix: /api }, route: { rate_limits: [{ actions: [{ ${USER} }], hits_addend: { number: 3 } }] } }]\n`;
    const input = { actions, match: '$startsWith(request.url_path, "/api")' };
    const bag = (url_path: string) => ({ request: { url_path, headers: { "x-user": "a" } } });
    assert.deepEqual(charges(input, bag("/api/x")), ['shop.user{"user":"a"} 3']);
    assert.deepEqual(charges(input, bag("/x")), []);
  });

  it("takes a bare list, and the limits of a virtual host of all domains", () => {
    for (const actions of [
      `[{ actions: [{ ${USER} }] }]\n`,
      `virtual_hosts: [{ domains: ['*'], routes: [{ match: { prefix: / } }], rate_limits: [{ actions: [{ ${USER} }] }] }]\n`,
    ])
      assert.equal(charges({ actions }, headers({ "x-user": "a" })).length, 1);
  });

  it("takes expressions for keys in place of actions, and says which are missing", () => {
    assert.deepEqual(charges({ expressions: { user: "origin.ip" } }, { origin: { ip: "1.2.3.4" } }), [
      'shop.user{"user":"1.2.3.4"}',
    ]);
    assert.deepEqual(
      charges({ actions: lists(USER), expressions: { user: "origin.ip" } }, headers({ "x-user": "a" })),
      [],
    );
    const [fault, ...others] = faults({});
    assert.match(
      fault ?? "",
      /^c\.yaml:3:5 no expression is known for the key "user": .* --entry 'user=EXPRESSION'$/,
    );
    assert.deepEqual(others, []);
  });

  it("warns of limits that no descriptor reaches", () => {
    assert.match(
      faults({ actions: lists("remote_address: {}") }).join(),
      /c\.yaml:3:5 no action makes a descriptor for shop\.user:/,
    );
  });
});

describe("importing envoyproxy/ratelimit: limits of one request", () => {
  const twoLists = (first: string, second: string) =>
    `rate_limits:\n  - actions: [{ ${first} }]\n  - actions: [{ ${second} }]\n`;

  it("refuses descriptors that one request can have twice", () => {
    const actions = twoLists(USER, "query_parameters: { query_parameter_name: u, descriptor_key: user }");
    assert.match(
      faults({ actions }).join(),
      /e\.yaml:3:5 these actions and those of line 2 can give one request/,
    );
  });

  it("counts the same descriptor of different requests together", () => {
    const matched = (expected: boolean) =>
      `header_value_match: { descriptor_value: v, expect_match: ${expected}, headers: [{ name: x-h, exact_match: a }] }`;
    const config =
      "domain: d\ndescriptors: [{ key: header_match, rate_limit: { unit: day, requests_per_unit: 1 } }]\n";
    const input = { config, actions: twoLists(matched(true), matched(false)) };
    assert.deepEqual(charges(input, headers({ "x-h": "a" })), charges(input, headers({})));
    assert.equal(specs(input).length, 1);
  });

  it("lets a limit replace another one", () => {
    const config = `domain: d
descriptors:
  - { key: user, rate_limit: { unit: day, requests_per_unit: 9, name: each } }
  - key: plan
    descriptors:
      - { key: user, value: root, rate_limit: { unlimited: true, replaces: [{ name: each }] } }
`;
    const plan = "request_headers: { header_name: x-plan, descriptor_key: plan }";
    const input = {
      config,
      actions: `rate_limits:\n  - actions: [{ ${USER} }]\n  - actions: [{ ${plan} }, { ${USER} }]\n`,
    };
    assert.deepEqual(charges(input, headers({ "x-user": "root" })), ['d.each{"user":"root"}']);
    assert.deepEqual(charges(input, headers({ "x-user": "root", "x-plan": "p" })), []);
    assert.deepEqual(charges(input, headers({ "x-user": "ada", "x-plan": "p" })), ['d.each{"user":"ada"}']);
  });

  it("gives each document a name of its own, and names its sources in one line", () => {
    const config = `domain: "a\\nb"
descriptors:
  - { key: k, value: X, rate_limit: { unit: day, requests_per_unit: 1 } }
  - { key: k, value: x, rate_limit: { unit: day, requests_per_unit: 1 } }
  - { key: "***", rate_limit: { unit: day, requests_per_unit: 1 } }
`;
    const imported = run({ config, expressions: { k: "request.method", "***": "request.host" } });
    assert.ok(imported.ok);
    assert.deepEqual(
      imported.value.map(({ name }) => name),
      ["a-b.k_x", "a-b.k_x-2", "a-b"],
    );
    assert.match(
      documentText(imported.value[0] as (typeof imported.value)[0]),
      /^# a\?b\.k_X: limit of c\.yaml:3\n/,
    );
  });

  it("refuses a faulty expression with its place in the document", () => {
    const imported = run({ expressions: { user: "request.nothing" } });
    assert.ok(imported.ok);
    const checked = checkText({ path: "out.yaml", text: imported.value.map(documentText).join("---\n") });
    assert.ok(!checked.ok);
    assert.equal(checked.diagnostics[0]?.code, "PURSER_EXPR_UNKNOWN_ATTRIBUTE");
  });
});
