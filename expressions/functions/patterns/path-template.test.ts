// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { parsePathTemplate } from "./path-template.ts";
import { PATH_FUNCTIONS } from "./paths.ts";

function params(template: string, path: string): Record<string, string> | undefined {
  const variables = parsePathTemplate(template).match(path);
  return variables === undefined ? undefined : Object.fromEntries(variables);
}

describe("a path template", () => {
  const CASES: readonly (readonly [
    template: string,
    path: string,
    params: Record<string, string> | undefined,
  ])[] = [
    ["/", "/", {}],
    ["/", "/a", undefined],
    ["/a", "/a", {}],
    ["/a", "/A", undefined],
    ["/a", "/a/", undefined],
    ["/a/", "/a/", {}],
    ["/a/", "/a", undefined],
    ["/a/*", "/a/b", {}],
    ["/a/*", "/a/", undefined],
    ["/a/*", "/a/b/c", undefined],
    ["/a/*/c", "/a/b/c", {}],
    ["/a/*/c", "/a//c", undefined],
    ["/**", "/", {}],
    ["/**", "/a/b", {}],
    ["/a/**", "/a/", {}],
    ["/a/**", "/a", undefined],
    ["/a/**", "/ab/c", undefined],
    ["/users/{id}", "/users/7", { id: "7" }],
    ["/users/{id}", "/users/a%2Fb", { id: "a%2Fb" }],
    ["/users/{id}/orders/{order=**}", "/users/7/orders/2026/11", { id: "7", order: "2026/11" }],
    ["/users/{id}/orders/{order=**}", "/users/7/orders/", { id: "7", order: "" }],
    ["/users/{id}/orders/{order=**}", "/users/7/orders", undefined],
    ["/{a=x/*}/{b}", "/x/1/2", { a: "x/1", b: "2" }],
    ["/{a=x/*}/{b}", "/y/1/2", undefined],
    ["/{a=x/**}", "/x/1/2", { a: "x/1/2" }],
    ["/{a=x/**}", "/x", undefined],
    ["/{a=*}/z", "/1/z", { a: "1" }],
    ["/users/{id}", "/users/7?x=/8", { id: "7" }],
    ["/users/{id}", "/users/7#top", { id: "7" }],
    ["/users/{id}", "/users/?x=1", undefined],
    ["/v1/things:batch", "/v1/things:batch", {}],
    ["/a", "a", undefined],
    ["/**", "", undefined],
    ["/**", "*", undefined],
  ];
  for (const [template, path, expected] of CASES)
    it(`${template} ${expected === undefined ? "does not match" : "matches"} ${path}`, () => {
      assert.deepEqual(params(template, path), expected);
    });

  it("returns the segments that a path was made of", () => {
    const segment = fc.string({
      unit: fc.constantFrom(..."ab.%-_~:@é{}*=".split("")),
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), fc.nat(), (segments, choice) => {
        const rest = choice % (segments.length + 1);
        const names = segments.slice(0, rest).map((_, index) => `v${index}`);
        const template = `/${[...names.map((name) => `{${name}}`), "{rest=**}"].join("/")}`;
        assert.deepEqual(
          params(template, `/${segments.join("/")}`),
          rest === segments.length
            ? undefined
            : {
                ...Object.fromEntries(names.map((name, index) => [name, segments[index]])),
                rest: segments.slice(rest).join("/"),
              },
        );
      }),
    );
  });

  it("is refused when it is malformed", () => {
    const malformed = [
      "",
      "a",
      "*",
      "/a*",
      "/***",
      "/**/a",
      "/{a=**}/b",
      "/{a=**/b}",
      "/{}",
      "/{a-b}",
      "/{1}",
      "/{a",
      "/a}",
      "/{a}b",
      "/{a}{b}",
      "/{a}/{a}",
      "/{a={b}}",
      "/{a=}",
      "/{a=/b}",
      "/a?b",
      "/a#b",
      "/{_jsonata_lambda}",
      `/${"a".repeat(1024)}`,
    ];
    for (const template of malformed)
      assert.throws(() => parsePathTemplate(template), { code: "D4003" }, template);
  });

  it("accepts any variable names", () => {
    const pathParams = PATH_FUNCTIONS[1]?.implementation as unknown as (
      path: string,
      template: string,
    ) => object;
    const found = pathParams("/x/y", "/{__proto__}/{constructor}");
    assert.deepEqual(Object.entries(found), [
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
    assert.equal(Object.getPrototypeOf(found), Object.prototype);
  });
});

describe("$pathTemplate", () => {
  const pathTemplate = PATH_FUNCTIONS.find(({ name }) => name === "pathTemplate")
    ?.implementation as unknown as (path: string, templates: unknown) => string | undefined;

  it("gives the first template that matches the path, and none for a path that none matches", () => {
    const templates = ["/users/me", "/users/{id}", "/users/{id}/orders/{order}", "/**"];
    const cases = [
      ["/users/me", "/users/me"],
      ["/users/7?a=/b", "/users/{id}"],
      ["/users/7/orders/8", "/users/{id}/orders/{order}"],
      ["/users/7/orders", "/**"],
      ["*", undefined],
    ] as const;
    for (const [path, template] of cases) assert.equal(pathTemplate(path, templates), template, path);
    assert.equal(pathTemplate("/a", "/{b}"), "/{b}");
    assert.equal(pathTemplate("/a", []), undefined);
  });

  it("agrees with $pathMatch for each template, prepared or not", () => {
    const prepare = PATH_FUNCTIONS.find(({ name }) => name === "pathTemplate")?.prepare;
    const segment = fc.constantFrom("a", "b", "*", "{x}");
    const template = fc
      .uniqueArray(segment, { minLength: 1, maxLength: 4 })
      .map((parts) => `/${parts.join("/")}`);
    const path = fc
      .array(fc.constantFrom("a", "b", "c", ""), { maxLength: 4 })
      .map((parts) => `/${parts.join("/")}`);
    fc.assert(
      fc.property(path, fc.array(template, { minLength: 1, maxLength: 5 }), (text, templates) => {
        const expected = templates.find((one) => parsePathTemplate(one).match(text) !== undefined);
        assert.equal(pathTemplate(text, templates), expected);
        const prepared = prepare?.([templates]) as ((path: string) => string | undefined) | undefined;
        assert.equal(prepared?.(text), expected);
      }),
    );
  });

  it("leaves more than 16 constant templates to the call that is charged, and refuses more than 1000", () => {
    const prepare = PATH_FUNCTIONS.find(({ name }) => name === "pathTemplate")?.prepare;
    const templates = (count: number) => Array.from({ length: count }, (_, index) => `/${index}`);
    assert.notEqual(prepare?.([templates(16)]), undefined);
    assert.equal(prepare?.([templates(17)]), undefined);
    assert.equal(pathTemplate("/999", templates(1_000)), "/999");
    assert.throws(() => pathTemplate("/1", templates(1_001)), { code: "D4003" });
    assert.throws(() => pathTemplate("/1", ["/a", 7]), { code: "D4003" });
  });
});
