// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  type AttributeBag,
  type CheckAnswer,
  definePlugin,
  type ExtensionContext,
  type HandlerHooks,
  OK,
  type PluginDefinition,
  type PluginHandler,
  Type,
  valueAt,
} from "../../index.ts";
import {
  checkPluginContract,
  type ContractFinding,
  describePluginContract,
  type PluginContractOptions,
} from "../index.ts";

async function broken(
  definition: PluginDefinition,
  options: PluginContractOptions = {},
): Promise<ContractFinding[]> {
  return (await checkPluginContract(definition, { deadlineMs: 100, ...options })).filter(
    ({ failures }) => failures.length > 0,
  );
}

const answer: CheckAnswer = { status: OK };

/** A correct plugin, except for the `changes` to its handlers. */
function plugin(changes: (context: ExtensionContext<unknown>) => Partial<PluginHandler>): PluginDefinition {
  return definePlugin({
    name: "sample",
    description: "Answers yes.",
    templates: ["headers"],
    config: Type.Object({}),
    build: (context) => ({ apply: answering(() => answer), close() {}, ...changes(context) }),
  });
}

/** A plugin that adds `request.tier`, as `tap` says. */
function adding(tap: (bag: AttributeBag) => unknown, isPromise = false): PluginDefinition {
  return {
    ...definePlugin({
      name: "tiers",
      description: "Adds a tier.",
      config: Type.Object({}),
      provides: { "request.tier": { type: "STRING" } },
      build: () => ({
        apply({ attributes }) {
          if (isPromise) attributes.tapPromise("tiers", tap as () => Promise<undefined>);
          else attributes.tap("tiers", tap as () => undefined);
        },
        close() {},
      }),
    }),
  };
}

/** A plugin that observes reported bags. */
function observing(tap: (bag: AttributeBag) => unknown): PluginDefinition {
  return definePlugin({
    name: "observer",
    description: "Observes.",
    config: Type.Object({}),
    build: () => ({ apply: ({ reported }) => reported.tapPromise("observer", tap as never), close() {} }),
  });
}

/** Keeps the event loop busy. */
function block(durationMs: number): void {
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs);
}

function answering(answer: () => unknown) {
  return (hooks: HandlerHooks): void => {
    hooks.check.for("headers").tap("sample", answer as () => CheckAnswer);
  };
}

describe("the plugin contract", () => {
  it("is kept by a good plugin", async () => {
    assert.deepEqual(await broken(plugin(() => ({}))), []);
  });

  const wrongs: readonly (readonly [string, Parameters<typeof plugin>[0], RegExp])[] = [
    [
      "a template that is not tapped",
      () => ({ apply() {} }),
      /does not tap hooks\.check\.for\(\\"headers\\"\)/,
    ],
    [
      "hooks that cannot be applied twice",
      () => {
        let applied = false;
        return {
          apply(hooks) {
            if (!applied) answering(() => answer)(hooks);
            applied = true;
          },
        };
      },
      /the fresh hooks answer otherwise/,
    ],
    [
      "a close that fails the second time",
      () => {
        let closed = false;
        return {
          close() {
            if (closed) throw new Error("closed already");
            closed = true;
          },
        };
      },
      /the second close/,
    ],
    [
      "a task left behind",
      ({ scheduler }) => {
        scheduler.every(1000, () => {});
        return {};
      },
      /left 1 tasks scheduled/,
    ],
    [
      "a watch left behind",
      ({ files }) => {
        files.watch(
          "a",
          () => {},
          () => {},
        );
        return {};
      },
      /left 1 files watched/,
    ],
    [
      "an answer that never comes",
      () => ({ apply: tapPromise(() => new Promise(() => {})) }),
      /did not end in time/,
    ],
    [
      "an unknown status",
      () => ({ apply: answering(() => ({ status: { code: "NO" } })) }),
      /no known status code/,
    ],
    [
      "a validity that is no number",
      () => ({ apply: answering(() => ({ status: OK, validDurationMs: Number.NaN })) }),
      /a validity is negative/,
    ],
    [
      "a header name in upper case",
      () => ({ apply: answering(() => withHeader("X-User", "ada")) }),
      /\\"X-User\\" is not a lower-case header name/,
    ],
    [
      "a header that would split the message",
      () => ({ apply: answering(() => withHeader("x-user", "ada\r\nx-admin: true")) }),
      /could split a message/,
    ],
    [
      "an error without a code",
      () => ({ apply: answering(() => assert.fail("oops")) }),
      /something other than a PurserError: AssertionError: oops/,
    ],
  ];
  for (const [what, changes, expected] of wrongs) {
    it(`finds ${what}`, async () => {
      const findings = await broken(plugin(changes));
      assert.match(JSON.stringify(findings), expected);
    });
  }

  it("is kept by a good plugin that adds attributes and observes reports", async () => {
    assert.deepEqual(await broken(adding(() => ({ "request.tier": "gold" }))), []);
    assert.deepEqual(await broken(adding(async () => Promise.resolve(undefined), true)), []);
    assert.deepEqual(await broken(observing(() => Promise.resolve())), []);
  });

  it("is kept by a plugin whose attributes an AttributeManifest declares", async () => {
    const plugin = adding(() => ({ "request.tier": "gold", "source.country": "NL" }));
    const attributes = { "source.country": { type: "STRING" } };
    assert.deepEqual(await broken(plugin, { attributes }), []);
    assert.match(JSON.stringify(await broken(plugin)), /source\.country is declared neither/);
  });

  const wrongTaps: readonly (readonly [string, PluginDefinition, RegExp])[] = [
    [
      "throws",
      adding(() => assert.fail("oops")),
      /"attributes\W+\(an ordinary bag\) failed: AssertionError: oops/,
    ],
    [
      "throws only for an unusual bag",
      adding((bag) => ({ "request.tier": (valueAt(bag, ["request", "host"]) as string).slice(1) })),
      /\(an empty bag\) failed: TypeError/,
    ],
    [
      "changes the bag",
      adding((bag) => void Object.assign(bag, { request: {} })),
      /failed: TypeError: Cannot assign to read only/,
    ],
    ["rejects", adding(() => Promise.reject(new Error("oops")), true), /failed: Error: oops/],
    ["hangs", adding(() => new Promise(() => {}), true), /did not end within 100 ms/],
    ["blocks", adding(() => block(60)), /\(an ordinary bag\) blocked the event loop for (6|7|8|9|\d\d)\d ms/],
    [
      "blocks later",
      adding(async () => {
        await Promise.resolve();
        block(60);
      }, true),
      /blocked the event loop/,
    ],
    [
      "adds an undeclared attribute",
      adding(() => ({ "request.teir": "gold" })),
      /request\.teir is declared neither/,
    ],
    [
      "adds a value of a wrong type",
      adding(() => ({ "request.tier": 3 })),
      /declared as STRING; got a number/,
    ],
    ["returns something else", adding(() => null), /something other than an object or undefined/],
    ["observes and throws", observing(() => assert.fail("oops")), /reported.*failed: AssertionError: oops/],
    ["observes and hangs", observing(() => new Promise(() => {})), /reported.*did not end within 100 ms/],
    [
      "answers and blocks",
      plugin(() => ({
        apply: answering(() => {
          block(60);
          return answer;
        }),
      })),
      /headers \(an ordinary instance\) blocked the event loop/,
    ],
    ["has no close", plugin(() => ({ close: undefined as never })), /the first close failed: TypeError/],
    [
      "declares an attribute that cannot be",
      { ...adding(() => undefined), provides: { "a..b": { type: "STRING" } } },
      /declarations are faulty: .*not a dotted name/,
    ],
  ];
  for (const [what, definition, expected] of wrongTaps) {
    it(`finds a plugin that ${what}`, async () => {
      assert.match(JSON.stringify(await broken(definition)), expected);
    });
  }

  it("finds a configuration that takes unknown keys", async () => {
    const open = { ...plugin(() => ({})), config: Type.Object({}, { additionalProperties: true }) };
    assert.match(JSON.stringify(await broken(open)), /takes an unknown key/);
  });

  it("finds handlers that share state", async () => {
    let open = 0;
    const shared = plugin(() => {
      open++;
      return {
        apply: answering(() => (open > 0 ? answer : withHeader("x-closed", "yes"))),
        close: () => void (open = 0),
      };
    });
    assert.match(JSON.stringify(await broken(shared)), /answers otherwise once another was closed/);
  });

  it("registers a test for each clause with any runner", async () => {
    const tests = new Map<string, () => Promise<void>>();
    const runner = {
      describe: (_name: string, body: () => void) => body(),
      it: (name: string, body: () => Promise<void>) => void tests.set(name, body),
    };
    describePluginContract(
      plugin(() => ({ apply() {} })),
      { runner },
    );
    assert.equal(tests.size, 9);
    const first = tests.get("builds from its defaults and taps the templates it names");
    await assert.rejects(async () => await first?.(), /does not tap/);
  });
});

function tapPromise(answer: () => Promise<CheckAnswer>) {
  return (hooks: HandlerHooks): void => {
    hooks.check.for("headers").tapPromise("sample", answer);
  };
}

function withHeader(name: string, value: string): CheckAnswer {
  return { status: OK, headers: { request: [{ operation: "set", name, value }] } };
}
