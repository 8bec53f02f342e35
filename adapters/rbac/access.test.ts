// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { Access } from "./access.ts";
import type { Config } from "./config.ts";

// Access against a plain reading of the documentation, without compiled patterns. Few short texts, so that matches are common.

const TEXTS = ["a", "ab", "b", "a/b", "a/", "ä", "🛳", "a.b", "true", "7", ""];
const GLOBS = [
  "a",
  "ab",
  "*",
  "**",
  "a*",
  "*b",
  "a/*",
  "a/**",
  "?",
  "??",
  "{a,b}",
  "[ab]",
  "[!a]",
  "ä",
  "7",
  "t*",
  "a.b",
  "\\*",
];

const text = fc.constantFrom(...TEXTS);
const globs = fc.array(fc.constantFrom(...GLOBS), { minLength: 1, maxLength: 2 });
const names = fc.constantFrom("x", "y", "constructor");
const scalar = fc.oneof(text, fc.constantFrom<unknown>(7, true, false, null, {}, 7n));
const properties = fc.dictionary(names, fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), { maxKeys: 2 });
const propertyGlobs = fc.dictionary(names, globs, { minKeys: 1, maxKeys: 2 });

/** A record of one or two of the fields: more are rarely satisfied. */
const someOf = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc
    .subarray(Object.keys(fields) as (keyof T & string)[], { minLength: 1, maxLength: 2 })
    .chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, fields[key]])))) as fc.Arbitrary<
    Partial<T>
  >;
const rule = someOf({
  namespaces: globs,
  services: globs,
  methods: globs,
  paths: globs,
  constraints: propertyGlobs,
});
const subject = fc.oneof(
  fc.constant({ anyone: true }),
  someOf({ users: globs, groups: globs, properties: propertyGlobs }),
);
const roleNames = fc.constantFrom("r1", "r2");
const rules = fc.array(rule, { minLength: 1, maxLength: 3 });
const config = fc.record({
  roles: fc.record({ r1: fc.record({ rules }), r2: fc.record({ rules }) }),
  bindings: fc.array(
    fc.record({ role: roleNames, subjects: fc.array(subject, { minLength: 1, maxLength: 3 }) }),
    { maxLength: 3 },
  ),
});
const groups = fc.oneof(
  text,
  fc.array(text, { maxLength: 3 }).map((list) => JSON.stringify(list)),
);
const instance = fc.record({
  subject: fc.record({ user: text, groups, properties }, { requiredKeys: ["properties"] }),
  action: fc.record(
    { namespace: text, service: text, method: text, path: text, properties },
    { requiredKeys: ["properties"] },
  ),
});

/** A glob by trying every split of the text. */
function globMatches(glob: string, input: string): boolean {
  const match = (g: readonly string[], t: readonly string[]): boolean => {
    const [first, ...rest] = g;
    if (first === undefined) return t.length === 0;
    if (first === "*" || first === "**")
      return Array.from({ length: t.length + 1 }, (_, count) => count).some(
        (count) => (first === "**" || !t.slice(0, count).includes("/")) && match(rest, t.slice(count)),
      );
    const [head] = t;
    if (first.startsWith("{"))
      return first
        .slice(1, -1)
        .split(",")
        .some((choice) => match([...Array.from(choice), ...rest], t));
    if (head === undefined) return false;
    const one =
      first === "?"
        ? head !== "/"
        : first.startsWith("[!")
          ? head !== "/" && !first.slice(2, -1).includes(head)
          : first.startsWith("[")
            ? first.slice(1, -1).includes(head)
            : first.startsWith("\\")
              ? head === first.slice(1)
              : head === first;
    return one && match(rest, t.slice(1));
  };
  return match(glob.match(/\*\*|\[[^\]]*\]|\{[^}]*\}|\\.|./gu) ?? [], Array.from(input));
}

type Instance = Parameters<Access["roleFor"]>[0];

function naiveRoleFor(
  { roles, bindings }: Pick<Config, "roles" | "bindings">,
  asked: Instance,
): string | undefined {
  const one = (list: readonly string[] | undefined, value: string | undefined): boolean =>
    list === undefined || (value !== undefined && list.some((glob) => globMatches(glob, value)));
  const each = (
    wanted: Readonly<Record<string, readonly string[]>> = {},
    given: Readonly<Record<string, unknown>>,
  ) =>
    Object.entries(wanted).every(([name, list]) => {
      const own = Object.getOwnPropertyDescriptor(given, name)?.value as unknown;
      return (Array.isArray(own) ? own : [own]).some(
        (value) =>
          ["string", "number", "boolean", "bigint"].includes(typeof value) && one(list, String(value)),
      );
    });
  const { subject: who, action } = asked;
  const groupList = who.groups?.startsWith("[")
    ? (JSON.parse(who.groups) as string[])
    : who.groups === undefined
      ? []
      : [who.groups];
  return Object.keys(roles).find((name) => {
    const permits = roles[name]?.rules.some(
      (r) =>
        one(r.namespaces, action.namespace) &&
        one(r.services, action.service) &&
        one(r.methods, action.method) &&
        one(r.paths, action.path) &&
        each(r.constraints, action.properties),
    );
    const has = bindings.some(
      (binding) =>
        binding.role === name &&
        binding.subjects.some(
          (s) =>
            s.anyone === true ||
            (one(s.users, who.user) &&
              (s.groups === undefined || groupList.some((group) => one(s.groups, group))) &&
              each(s.properties, who.properties)),
        ),
    );
    return permits === true && has;
  });
}

describe("the access of rbac", () => {
  it("permits what a plain reading of roles and bindings permits", () => {
    let permitted = 0;
    fc.assert(
      fc.property(config, fc.array(instance, { minLength: 5, maxLength: 20 }), (documents, instances) => {
        const access = new Access(documents as Pick<Config, "roles" | "bindings">);
        assert.deepEqual(access.faults, []);
        for (const asked of instances as Instance[]) {
          const role = access.roleFor(asked);
          if (role !== undefined) permitted++;
          assert.equal(role, naiveRoleFor(documents as Pick<Config, "roles" | "bindings">, asked));
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(permitted > 200, `only ${permitted} permitted: the property tests refusals alone`);
  });

  it("finds one of ten thousand users in a binding without trying each", () => {
    const users = Array.from({ length: 10_000 }, (_, index) => `user-${index}`);
    const access = new Access({
      roles: { r: { rules: [{ services: ["s"] }] } },
      bindings: [{ role: "r", subjects: [{ users }] }],
    });
    const startMs = performance.now();
    for (let index = 0; index < 10_000; index++)
      assert.equal(
        access.roleFor({
          subject: { user: `user-${index}`, properties: {} },
          action: { service: "s", properties: {} },
        }),
        "r",
      );
    assert.ok(performance.now() - startMs < 1_000);
  });
});
