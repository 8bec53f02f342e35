// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AuthorizationInstance, CheckAnswer } from "../../plugins/sdk/index.ts";
import { createTestContext, describeAdapterContract } from "../../plugins/sdk/testing/index.ts";
import { rbac } from "./index.ts";

const ROLES = {
  reader: {
    rules: [
      { services: ["reviews", "ratings.*"], methods: ["GET", "HEAD"], paths: ["/reviews/**"] },
      { services: ["health"] },
    ],
  },
  editor: { rules: [{ services: ["reviews"], constraints: { version: ["v[12]"], region: ["eu", "us"] } }] },
};

const BINDINGS = [
  { role: "reader", subjects: [{ users: ["ada", "*@example.com"] }, { groups: ["readers"] }] },
  { role: "editor", subjects: [{ groups: ["editors"], properties: { mfa: ["true"], level: ["3", "4"] } }] },
];

const CONFIG = { roles: ROLES, bindings: BINDINGS };

describeAdapterContract(rbac, { config: CONFIG });
describeAdapterContract({ ...rbac, name: "rbac, permissive" }, { config: { ...CONFIG, mode: "permissive" } });

interface Asked {
  readonly subject?: Partial<AuthorizationInstance["subject"]>;
  readonly action?: Partial<AuthorizationInstance["action"]>;
}

function build(config: Record<string, unknown> = {}, name = "who-may") {
  const context = createTestContext(rbac, { ...CONFIG, ...config }, { handler: name });
  const handler = rbac.build(context);
  const answer = ({ subject, action }: Asked): CheckAnswer =>
    handler.authorization?.(
      {
        name: "a",
        subject: { properties: {}, ...subject },
        action: { service: "reviews", method: "GET", path: "/reviews/0", properties: {}, ...action },
      },
      { signal: new AbortController().signal },
    ) as CheckAnswer;
  return {
    context,
    answer,
    ask: (asked: Asked) => answer(asked).status.code,
    text: () => handler.exposition?.() as string,
  };
}

const DENIED = "PERMISSION_DENIED";

describe("the adapter rbac", () => {
  it("permits an action that a rule of a bound role has, and refuses all others", () => {
    const { ask, answer } = build();
    const ada = { user: "ada" };
    const cases: readonly (readonly [Asked, string])[] = [
      [{ subject: ada }, "OK"],
      [{ subject: { user: "grace@example.com" } }, "OK"],
      [{ subject: { user: "Ada" } }, DENIED],
      [{ subject: { user: "" } }, DENIED],
      [{ subject: {} }, DENIED],
      [{ subject: ada, action: { service: "ratings.shop" } }, "OK"],
      [{ subject: ada, action: { service: "ratings" } }, DENIED],
      [{ subject: ada, action: { method: "POST" } }, DENIED],
      [{ subject: ada, action: { path: "/reviews" } }, DENIED],
      [{ subject: ada, action: { path: "/reviews/0/text" } }, "OK"],
      [{ subject: ada, action: { path: "/admin" } }, DENIED],
      [{ subject: ada, action: { service: "health", method: "POST", path: "/any" } }, "OK"],
    ];
    for (const [asked, expected] of cases) assert.equal(ask(asked), expected, JSON.stringify(asked));
    assert.deepEqual(answer({ subject: { user: "eve" } }), {
      status: { code: DENIED, message: "no role permits this" },
      validDurationMs: 10_000,
      validUseCount: 10_000,
    });
  });

  it("lets an absent field match no glob", () => {
    const handler = rbac.build(
      createTestContext(rbac, {
        roles: { all: { rules: [{ paths: ["**"] }] }, tcp: { rules: [{ services: ["db"] }] } },
        bindings: [
          { role: "all", subjects: [{ anyone: true }] },
          { role: "tcp", subjects: [{ users: ["**"] }] },
        ],
      }),
    );
    const call = { signal: new AbortController().signal };
    const ask = (user: string | undefined, action: object): string => {
      const subject = { ...(user === undefined ? {} : { user }), properties: {} };
      const asked = { name: "a", subject, action: { properties: {}, ...action } };
      const answer = handler.authorization?.(asked, call) as CheckAnswer;
      return answer.status.code;
    };
    assert.equal(ask(undefined, { path: "" }), "OK");
    assert.equal(ask(undefined, {}), DENIED);
    assert.equal(ask(undefined, { service: "db" }), DENIED);
    assert.equal(ask("", { service: "db" }), "OK");
  });

  it("takes one group as text and several as a JSON list", () => {
    const { ask } = build();
    for (const groups of ["readers", '["staff","readers"]', '[1,"readers",{}]'])
      assert.equal(ask({ subject: { groups } }), "OK", groups);
    for (const groups of ["", "staff,readers", "[]", '["staff"]', '["readers"', '[["readers"]]', "null"])
      assert.equal(ask({ subject: { groups } }), DENIED, groups);
  });

  it("needs every constraint and property, with numbers, booleans and lists as text", () => {
    const { ask } = build();
    const subject = { groups: "editors", properties: { mfa: true, level: 3 } };
    const action = { method: "PUT", properties: { version: "v2", region: ["asia", "eu"] } };
    assert.equal(ask({ subject, action }), "OK");
    const wrong: readonly Asked[] = [
      { subject, action: { ...action, properties: { version: "v2" } } },
      { subject, action: { ...action, properties: { version: "v3", region: "eu" } } },
      { subject, action: { ...action, properties: { version: "v2", region: [] } } },
      { subject, action: { ...action, properties: { version: "v2", region: { eu: true } } } },
      { subject: { ...subject, properties: { mfa: true } }, action },
      { subject: { ...subject, properties: { mfa: "yes", level: 3 } }, action },
      { subject: { ...subject, properties: { mfa: null, level: Number.NaN } }, action },
    ];
    for (const asked of wrong) assert.equal(ask(asked), DENIED, JSON.stringify(asked));
  });

  it("finds no property that an object has by inheritance", () => {
    const roles = { r: { rules: [{ constraints: { toString: ["**"], constructor: ["**"] } }] } };
    const { ask } = build({ roles, bindings: [{ role: "r", subjects: [{ anyone: true }] }] });
    assert.equal(ask({}), DENIED);
    assert.equal(ask({ action: { properties: { toString: "x", constructor: "y" } } }), "OK");
  });

  it("refuses texts that are too long to match, quickly", () => {
    const roles = { r: { rules: [{ paths: ["**a**a**a**a**b", "{a,aa}{a,aa}**c", "**"] }] } };
    const { ask } = build({ roles, bindings: [{ role: "r", subjects: [{ anyone: true }] }] });
    const startMs = performance.now();
    assert.equal(ask({ action: { path: "a".repeat(8_192) } }), "OK");
    assert.equal(ask({ action: { path: "a".repeat(8_193) } }), DENIED);
    assert.ok(performance.now() - startMs < 2_000);
  });

  it("answers with the configured status and validity", () => {
    const status = { code: "NOT_FOUND", message: "no such page" };
    assert.deepEqual(build({ status, validDuration: "0s", validUseCount: 1 }).answer({}), {
      status,
      validDurationMs: 0,
      validUseCount: 1,
    });
  });

  it("lets all pass in permissive mode, and says what it would have refused", () => {
    const { context, answer, text } = build({ mode: "permissive" }, 'a"b');
    assert.deepEqual(answer({ subject: { user: "ada" } }).status, { code: "OK", message: "" });
    assert.deepEqual(answer({}).status, {
      code: "OK",
      message: "permissive, else PERMISSION_DENIED: no role permits this",
    });
    answer({});
    assert.match(text(), /_total\{handler="a\\"b",mode="permissive",decision="allowed"\} 1\n/);
    assert.match(text(), /decision="refused"\} 2\n/);
    assert.deepEqual(
      context.logger.lines.map(({ level, fields }) => [level, fields["mode"]]),
      [
        ["debug", "permissive"],
        ["debug", "permissive"],
      ],
    );
  });

  it("says where each fault of its configuration is", () => {
    const faults = rbac.check?.(
      createTestContext(rbac, {
        roles: {
          "a.b": { rules: [{}, { paths: ["/ok", "/a[b", "{x"], methods: ["\\"] }, { constraints: {} }] },
          empty: { rules: [{ services: ["**"] }] },
        },
        bindings: [
          { role: "emtpy", subjects: [{ users: ["["] }, {}, { anyone: false }, { properties: {} }] },
          { role: "empty", subjects: [{ anyone: true, groups: ["g"] }] },
          { role: "constructor", subjects: [{ anyone: true }] },
        ],
      }).config as never,
    );
    const empty = 'the rule is empty and would permit everything: write services: ["**"] for every service';
    const nobody = "the subject is empty: write users, groups, properties, or anyone: true";
    assert.deepEqual(
      faults?.map(({ path, message }) => [path.join("/"), message]),
      [
        ["roles/a.b/rules/0", empty],
        ["roles/a.b/rules/1/methods/0", '"\\" ends with a backslash that quotes nothing'],
        ["roles/a.b/rules/1/paths/1", '"/a[b" has a [ without its ]'],
        ["roles/a.b/rules/1/paths/2", '"{x" has a { without its }'],
        ["roles/a.b/rules/2", empty],
        ["bindings/0/role", 'no role is named "emtpy": the roles are a.b, empty'],
        ["bindings/0/subjects/0/users/0", '"[" has a [ without its ]'],
        ["bindings/0/subjects/1", nobody],
        ["bindings/0/subjects/2", nobody],
        ["bindings/0/subjects/3", nobody],
        [
          "bindings/1/subjects/0",
          "anyone excludes users, groups and properties: write another subject for them",
        ],
        ["bindings/2/role", 'no role is named "constructor": the roles are a.b, empty'],
      ],
    );
    assert.throws(() => build({ roles: {} }), /no role is named "reader": there are no roles/);
  });

  it("refuses empty lists, which may mean all or nothing", () => {
    const binding = { role: "r", subjects: [{ anyone: true }] };
    for (const config of [
      { roles: { r: { rules: [] } }, bindings: [binding] },
      { roles: { r: { rules: [{ paths: [] }] } }, bindings: [binding] },
      { roles: { r: { rules: [{ paths: [""] }] } }, bindings: [binding] },
      { roles: { "a\nb": {} }, bindings: [] },
      { roles: { r: { rules: [{ constraints: { "a\nb": [] } }] } }, bindings: [binding] },
      { roles: ROLES, bindings: [{ role: "reader", subjects: [] }] },
      { roles: ROLES, bindings: [{ role: "reader", subjects: [{ users: [] }] }] },
      { roles: ROLES, bindings: [{ role: "reader", subjects: [{ user: "ada" }] }] },
    ])
      assert.throws(() => build(config), /not valid/, JSON.stringify(config));
  });
});
