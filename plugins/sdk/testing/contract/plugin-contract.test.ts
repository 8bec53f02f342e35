// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  type CheckAnswer,
  definePlugin,
  type ExtensionContext,
  type HandlerHooks,
  OK,
  type PluginDefinition,
  type PluginHandler,
  Type,
} from "../../index.ts";
import { checkPluginContract, type ContractFinding, describePluginContract } from "../index.ts";

async function broken(definition: PluginDefinition): Promise<ContractFinding[]> {
  return (await checkPluginContract(definition, { deadlineMs: 100 })).filter(
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
    assert.equal(tests.size, 7);
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
