// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHandlerHooks } from "../../core/hooks/hooks.ts";
import type { CheckAnswer } from "../sdk/index.ts";
import { createTestContext, describePluginContract, type TestContext } from "../sdk/testing/index.ts";
import { list } from "./index.ts";

describePluginContract(list);
describePluginContract(
  { ...list, name: "list, with a file" },
  {
    config: { file: "addresses", type: "cidr", entries: ["10.0.0.0/8"] },
    files: { addresses: "203.0.113.0/24\n" },
  },
);

interface Asked {
  readonly context: TestContext<unknown>;
  readonly answer: (value: string | undefined) => Promise<CheckAnswer>;
  /** The status code of the answer. */
  readonly ask: (value: string | undefined) => Promise<string>;
  readonly close: () => void;
}

function build(config: Record<string, unknown>): Asked {
  const context = createTestContext(list, config);
  const hooks = createHandlerHooks();
  const handler = list.build(context);
  handler.apply(hooks);
  const answer = async (value: string | undefined): Promise<CheckAnswer> => {
    const given = await hooks.check.for("listentry").promise({ name: "value", value });
    assert.ok(given);
    return given;
  };
  return {
    context,
    answer,
    ask: async (value) => (await answer(value)).status.code,
    close: () => void handler.close(),
  };
}

const DENIED = "PERMISSION_DENIED";

describe("the plugin list", () => {
  it("allows values on an allow list and refuses all others, including an absent value", async () => {
    const { ask, answer } = build({ entries: ["ada", "grace"] });
    assert.deepEqual(
      [await ask("ada"), await ask("Ada"), await ask(""), await ask(undefined)],
      ["OK", DENIED, DENIED, DENIED],
    );
    assert.deepEqual(await answer("eve"), {
      status: { code: DENIED, message: "refused by a list" },
      validDurationMs: 10_000,
      validUseCount: 10_000,
    });
  });

  it("refuses values on a deny list and allows all others, including an absent value", async () => {
    const { ask } = build({ mode: "deny", entries: ["eve"], status: { code: "NOT_FOUND" } });
    assert.deepEqual([await ask("eve"), await ask("ada"), await ask(undefined)], ["NOT_FOUND", "OK", "OK"]);
  });

  it("compares without regard to case when configured so", async () => {
    const { ask } = build({ type: "case-insensitive", entries: ["Ada@Example.com"] });
    assert.deepEqual([await ask("ADA@example.COM"), await ask("eve@example.com")], ["OK", DENIED]);
  });

  it("finds one of a hundred thousand entries without a linear scan", async () => {
    const { context, ask } = build({ file: "users" });
    context.files.set("users", Array.from({ length: 100_000 }, (_, index) => `user-${index}`).join("\n"));
    const startedMs = performance.now();
    for (let index = 0; index < 1000; index++) await ask(`user-${index * 97}`);
    assert.ok(performance.now() - startedMs < 500, "1000 look-ups took more than half a second");
    assert.equal(await ask("user-100000"), DENIED);
  });

  it("matches regular expressions against the whole value", async () => {
    const { ask } = build({ type: "regex", entries: ["v[0-9]+", "canary|beta"] });
    assert.deepEqual(await Promise.all(["v12", "v12x", "xv1", "beta", "betas", ""].map(ask)), [
      "OK",
      DENIED,
      DENIED,
      "OK",
      DENIED,
      DENIED,
    ]);
  });

  it("is not stalled by hostile patterns and values", async () => {
    const startedMs = performance.now();
    const regex = build({ type: "regex", entries: ["(a+)+$", "(.*)*x", "(a|aa)+b"] });
    const glob = build({ type: "glob", entries: ["*a*a*a*a*a*a*a*b", "{a,aa}{a,aa}{a,aa}*c"] });
    await regex.ask(`${"a".repeat(8000)}!`);
    await glob.ask("a".repeat(8000));
    assert.ok(performance.now() - startedMs < 2000, `took ${performance.now() - startedMs} ms`);
  });

  it("refuses a value that cannot be compared, which is not the same as unlisted", async () => {
    const addresses = build({ mode: "deny", type: "cidr", entries: ["10.0.0.0/8"] });
    for (const value of [
      "not an address",
      "",
      "010.0.0.1",
      "0x0a000001",
      "10.1",
      "167772161",
      "10.0.0.1/8",
    ]) {
      assert.equal(await addresses.ask(value), "INVALID_ARGUMENT", value);
    }
    const patterns = build({ mode: "deny", type: "glob", entries: ["bad*"] });
    assert.equal(await patterns.ask("x".repeat(8193)), "INVALID_ARGUMENT");
  });

  it("refuses to be built with bad entries, and names each of them", () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ["cidr", "10.0.0.0/33", /entries\[1\]: "10\.0\.0\.0\/33": has the prefix length "33"/],
      ["cidr", "example.com", /entries\[1\]: "example\.com": is not an IP address/],
      ["regex", "(a", /entries\[1\]: "\(a": .*missing/],
      ["regex", "(?=.*a)", /entries\[1\]: .*lookahead/],
      ["glob", "a[b", /entries\[1\]: "a\[b": has a \[ without its \]/],
    ];
    for (const [type, entry, expected] of cases) {
      assert.throws(() => build({ type, entries: ["::1", entry, "10.0.0.1/24/3"] }), expected, type);
    }
  });

  it("uses the configured validity", async () => {
    const { answer } = build({ entries: ["ada"], validDuration: "1m", validUseCount: 3 });
    const { validDurationMs, validUseCount } = await answer("ada");
    assert.deepEqual([validDurationMs, validUseCount], [60_000, 3]);
  });
});

describe("the file of a list", () => {
  const config = { file: "users", entries: ["root"] };

  it("is used together with the inline entries, and is reloaded on changes", async () => {
    const { context, ask } = build(config);
    context.files.set("users", "\uFEFF# people\r\nada\r\n\r\n  grace  \r\n");
    assert.deepEqual(await Promise.all(["root", "ada", "grace", "# people"].map(ask)), [
      "OK",
      "OK",
      "OK",
      DENIED,
    ]);
    context.files.set("users", "grace\n");
    assert.deepEqual(await Promise.all(["root", "ada", "grace"].map(ask)), ["OK", DENIED, "OK"]);
  });

  it("shortens the validity of answers, because it may change", async () => {
    const { context, answer } = build(config);
    context.files.set("users", "ada");
    assert.equal((await answer("ada")).validDurationMs, 5000);
  });

  for (const [onUnavailable, expected] of [
    ["deny", DENIED],
    ["allow", "OK"],
  ] as const) {
    it(`leaves it to onUnavailable: ${onUnavailable} until it was read, without caching`, async () => {
      for (const mode of ["allow", "deny"]) {
        const { context, answer, ask } = build({ ...config, mode, onUnavailable });
        const waiting = await answer("ada");
        assert.deepEqual([waiting.status.code, waiting.validDurationMs], [expected, 0]);
        context.files.fail("users");
        assert.equal(await ask("ada"), expected);
        // Inline entries are known before the file is read.
        assert.equal(await ask("root"), mode === "allow" ? "OK" : DENIED);
      }
    });
  }

  it("keeps its last valid entries when it cannot be read, and logs that once", async () => {
    const { context, ask } = build(config);
    context.files.set("users", "ada");
    context.files.fail("users");
    context.files.fail("users");
    assert.equal(await ask("ada"), "OK");
    const warnings = context.logger.lines.filter((line) => line.level === "warn");
    assert.deepEqual(
      warnings.map((line) => [line.message, line.fields["consequence"]]),
      [["list file cannot be read", "the last good entries stay in force"]],
    );
  });

  it("keeps its last valid entries when a line is bad, and logs which line", async () => {
    const { context, ask } = build({ type: "cidr", file: "blocks" });
    context.files.set("blocks", "10.0.0.0/8");
    context.files.set("blocks", "# more\n192.168.0.0/16\n10.0.0.0/99\n");
    assert.deepEqual(await Promise.all(["10.1.2.3", "192.168.0.1"].map(ask)), ["OK", DENIED]);
    const warning = context.logger.lines.find((line) => line.level === "warn");
    assert.match(JSON.stringify(warning?.fields["faults"]), /line 3: .*10\.0\.0\.0\/99.*prefix length/);
  });

  it("is no longer watched after close", () => {
    const { context, close } = build(config);
    assert.equal(context.files.watching, 1);
    close();
    assert.equal(context.files.watching, 0);
  });
});
