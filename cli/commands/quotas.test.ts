// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { QuotaListing } from "../../api/quota-operations.ts";
import { createMixer, type Mixer } from "../../mixer/mixer.ts";
import { startMixerHttpServer } from "../../mixer/servers/http-server.ts";
import { createHttpClient } from "../../plugins/sdk/http/client.ts";
import {
  createCollectingLogger,
  createMemoryFiles,
  createRealTime,
  createSeededRandom,
} from "../../plugins/sdk/testing/index.ts";
import { computed, quotaPolicy, snapshotOf } from "../../test/support/snapshots.ts";
import { main } from "../main.ts";

/** Runs a command with its output kept from the terminal. */
async function run(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly errors: string }> {
  const texts = { out: "", errors: "" };
  const { stdout, stderr } = process;
  const writes = [stdout.write.bind(stdout), stderr.write.bind(stderr)] as const;
  const keep =
    (name: "out" | "errors") =>
    (chunk: unknown, ...rest: readonly unknown[]): boolean => {
      texts[name] += String(chunk);
      const done = rest.at(-1);
      if (typeof done === "function") (done as () => void)();
      return true;
    };
  stdout.write = keep("out");
  stderr.write = keep("errors");
  try {
    return { code: await main(["quotas", ...args]), ...texts };
  } finally {
    stdout.write = writes[0];
    stderr.write = writes[1];
  }
}

describe("purser quotas", () => {
  const time = createRealTime();
  let mixer: Mixer;
  let url: string;
  let close: () => Promise<void>;

  before(async () => {
    const runtime = {
      clock: time.clock,
      scheduler: time.scheduler,
      random: createSeededRandom(),
      logger: createCollectingLogger(),
    };
    mixer = createMixer({
      ...runtime,
      files: () => createMemoryFiles(),
      http: () => createHttpClient(time.clock),
      spoolFiles: () => assert.fail("no spool here"),
      buildInThread: () => assert.fail("no thread here"),
    });
    const key = [["user", computed((bag) => (bag["request"] as { user: string }).user)]] as const;
    await mixer.apply(
      snapshotOf({
        quotaPolicies: [quotaPolicy("per-user", { key, limit: 5 }), quotaPolicy("all", { limit: 1_000 })],
      }),
    );
    const server = await startMixerHttpServer({ mixer, ...runtime, host: "127.0.0.1", port: 0 });
    url = `http://127.0.0.1:${server.port}/`;
    close = async () => {
      await server.close(100);
      await mixer.close(100);
      time.cancelAll();
    };
    for (let call = 0; call < 7; call++)
      await mixer.check({ attributes: { request: { user: "ann" } }, deduplicationId: `ann-${call}` });
  });
  after(() => close());

  const ask = (...args: readonly string[]) => run(...args, "--mixer", url);
  const ann = ["per-user", "--key", "user=ann", "--reason", "a test"];

  it("lists counts as records, and as JSON", async () => {
    const { code, out } = await ask("list");
    assert.equal(code, 0);
    assert.match(out, /^count\tper-user\t{"user":"ann"}\t5\t5\t0\t\d+$/m);
    assert.match(out, /^count\tall\t{}\t\d\t1000\t99\d\t\d+$/m);
    const one = await ask("list", "--policy", "per-user", "--key", "user=bob", "--json");
    const { policies } = JSON.parse(one.out) as QuotaListing;
    assert.deepEqual(
      policies.map(({ counts }) => counts[0]?.used),
      [0],
    );
  });

  it("shows the top keys", async () => {
    const { out } = await ask("top", "--policy", "per-user", "--limit", "500");
    assert.match(
      out,
      /^charged\tper-user\tper-user{"user":"ann"}\t5\t0\t\d+\nrefused\tper-user\tper-user{"user":"ann"}\t2\t0\t\d+\n$/,
    );
  });

  it("resets, raises, blocks, and ends both, and shows the audit", async () => {
    const commands = [
      ["reset", ...ann],
      ["raise", ...ann, "--limit", "9", "--for", "10m"],
      ["block", ...ann, "--for", "1h"],
      ["unraise", ...ann],
      ["unblock", ...ann],
      ["unblock", ...ann],
    ];
    for (const command of commands) assert.equal((await ask(...command)).code, 0, command.join(" "));
    const { out } = await ask("audit", "--limit", "5000");
    const rows = out
      .trim()
      .split("\n")
      .map((line) => line.split("\t").slice(1));
    const fields = ["per-user", '{"user":"ann"}'];
    const end = ["mixer", "127.0.0.1", "a test"];
    assert.deepEqual(rows, [
      ["end-block", ...fields, "", "", "false", ...end],
      ["end-block", ...fields, "", "", "true", ...end],
      ["end-raise", ...fields, "", "", "true", ...end],
      ["block", ...fields, "", "3600000", "true", ...end],
      ["raise", ...fields, "9", "600000", "true", ...end],
      ["reset", ...fields, "", "", "true", ...end],
    ]);
  });

  it("collects pages up to its limit", async () => {
    for (let user = 0; user < 30; user++)
      await mixer.check({ attributes: { request: { user: `u${user}` } }, deduplicationId: `u${user}` });
    const few = JSON.parse((await ask("list", "--limit", "7", "--json")).out) as QuotaListing;
    assert.equal(
      few.policies.reduce((sum, { counts }) => sum + counts.length, 0),
      7,
    );
    assert.ok(few.cursor !== undefined);
    const all = JSON.parse((await ask("list", "--limit", "20000", "--json")).out) as QuotaListing;
    assert.deepEqual(
      all.policies.map(({ policy, counts }) => [policy, counts.length]),
      [
        ["per-user", 30],
        ["all", 1],
      ],
    );
  });

  it("ends with 2 for what the user can correct", async () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [
        ["list", "--policy", "per-usr"],
        /no QuotaPolicy per-usr in force \(did you mean per-user\?\) \[PURSER_NOT_FOUND\]/,
      ],
      [["list", "--limit", "0"], /1 or more/],
      [["list", "--colour"], /see purser quotas list --help/],
      [["reset", "per-user", "--reason", "x", "--key", "usr=ann"], /has the key user, and no usr/],
      [["reset", "per-user", "--reason", "x", "--key", "user"], /must be name=value/],
      [["reset", "per-user", "--reason", "x", "--key", "user=a", "--key", "user=b"], /user is given twice/],
      [["reset", "per-user", "--reason", "x", "--key", "user:=ann"], /must be JSON/],
      [["reset", "per-user", "--reason", " "], /200 characters/],
      [["reset", "per-user"], /--reason/],
      [["raise", ...ann, "--limit", "5", "--for", "1m"], /must be above it/],
      [["raise", ...ann, "--limit", "0", "--for", "1m"], /from 1 to 1000000000/],
      [["block", ...ann, "--for", "8d"], /from 1ms to 7d/],
    ];
    for (const [args, message] of cases) {
      const { code, errors } = await ask(...args);
      assert.equal(code, 2, args.join(" "));
      assert.match(errors, message);
    }
    assert.equal((await run()).code, 2);
    const help = await run("--help");
    assert.equal(help.code, 0);
    assert.match(help.out, /Exit codes: 0 done; 1 .*; 2 /);
  });

  it("ends with 1 when the mixer, or its store, does not answer as it should", async () => {
    const answers: [number, string][] = [
      [200, "text"],
      [200, "{}"],
      [502, "bad gateway"],
      [503, JSON.stringify({ error: { code: "PURSER_DRAINING", message: "closing", remedy: "wait" } })],
    ];
    const server: Server = createServer((_, response) => {
      const [status, text] = answers.shift() ?? [200, "{}"];
      response.writeHead(status).end(text);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const other = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const patterns = [
      /other than JSON/,
      /not of the documented form/,
      /answered 502/,
      /closing \[PURSER_DRAINING\]/,
    ];
    for (const pattern of patterns) {
      const { code, errors } = await run("audit", "--mixer", other);
      assert.equal(code, 1);
      assert.match(errors, pattern);
    }
    await new Promise((resolve) => server.close(resolve));
    const gone = await run("list", "--mixer", other);
    assert.equal(gone.code, 1);
    assert.match(gone.errors, /does not answer.*\[PURSER_MIXER_UNAVAILABLE\]/);
  });
});
