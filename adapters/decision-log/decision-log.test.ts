// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Value from "typebox/value";
import { DECISION_LOG_LINE } from "../../core/replay/log-line.ts";
import type { DecisionInstance, DecisionLogLine } from "../../plugins/sdk/index.ts";
import {
  createTestContext,
  decisionInstance,
  describeAdapterContract,
} from "../../plugins/sdk/testing/index.ts";
import { decisionLog } from "./index.ts";

const KEY = "0123456789abcdef";
const folder = mkdtempSync(join(tmpdir(), "purser-decision-log-"));
const { signal } = new AbortController();
let files = 0;

after(() => rmSync(folder, { recursive: true, force: true }));

describeAdapterContract(decisionLog, { config: { path: join(folder, "contract") } });

/** The lines that a handler with this configuration writes. */
async function written(
  config: Readonly<Record<string, unknown>>,
  instances: readonly DecisionInstance[],
): Promise<readonly DecisionLogLine[]> {
  const path = join(folder, `log-${++files}`);
  const handler = decisionLog.build(createTestContext(decisionLog, { path, ...config }));
  await handler.decision?.(instances, { signal });
  await handler.close();
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    // No file: nothing was written.
  }
  const lines = text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as DecisionLogLine);
  for (const line of lines) assert.ok(Value.Check(DECISION_LOG_LINE, line), JSON.stringify(line));
  return lines;
}

const requests = (count: number, allowed = true): DecisionInstance[] =>
  Array.from({ length: count }, (_, index) =>
    decisionInstance({
      bag: { request: { id: `request-${index}` } },
      decision: {
        checked: true,
        allowed,
        code: allowed ? "OK" : "PERMISSION_DENIED",
        shadowDenials: [],
        audits: [],
      },
    }),
  );

describe("the adapter decision-log", () => {
  it("writes a line for each request, which matches the schema", async () => {
    const [line] = await written({}, [decisionInstance()]);
    assert.deepEqual(line, {
      v: 1,
      time: "2026-01-01T00:00:00.000Z",
      name: "decisions",
      id: "a1b2",
      snapshot: "v1",
      sampled: 1,
      redacted: [],
      hashed: [],
      cut: [],
      bag: decisionInstance().bag,
      decision: { ...decisionInstance().decision },
    });
  });

  it("samples the same requests on every replica, at the configured rate, and keeps all refused requests", async () => {
    const [one, other] = [
      await written({ sample: 0.1 }, requests(2000)),
      await written({ sample: 0.1 }, requests(2000)),
    ];
    assert.deepEqual(
      one.map(({ id }) => id),
      other.map(({ id }) => id),
    );
    // Expected: 200 of 1000; tolerance: six standard deviations.
    assert.ok(Math.abs(one.length - 200) < 81, String(one.length));
    assert.ok(one.every(({ sampled }) => sampled === 0.1));
    const refused = await written({ sample: 0.1 }, requests(50, false));
    assert.deepEqual([refused.length, refused[0]?.sampled], [50, 1]);
    assert.ok((await written({ sample: 0.1, always: [] }, requests(50, false))).length < 40);
    assert.deepEqual(await written({ sample: 0 }, requests(50)), []);
  });

  it("redacts credentials, and lists the redacted paths", async () => {
    const headers = {
      authorization: "Bearer s3cret",
      cookie: "s3cret",
      "X-API-Key": "s3cret",
      "x-user": "ada",
    };
    const auth = { raw_claims: "s3cret", claims: { sub: "ada" } };
    const bag = {
      request: { headers, api_key: "s3cret", auth },
      response: { headers: { "set-cookie": "s3cret" } },
    };
    const [line] = await written({}, [decisionInstance({ bag })]);
    assert.doesNotMatch(JSON.stringify(line), /s3cret/);
    assert.deepEqual(line?.redacted, [
      "request.headers.authorization",
      "request.headers.cookie",
      "request.headers.X-API-Key",
      "request.api_key",
      "request.auth.raw_claims",
      "response.headers.set-cookie",
    ]);
    assert.match(JSON.stringify(line), /"x-user":"ada"/);
  });

  it("redacts configured attributes: by path, by subtree and by prefix", async () => {
    const bag = {
      request: {
        headers: { "x-a.b": "s3cret", "x-c": ["s3cret"] },
        query_params: { q: "s3cret", r: 1 },
        auth: { claims: { d: { e: "s3cret" } } },
      },
    };
    const redact = ["request.headers.x-*", "request.query_params.*", "request.auth.claims"];
    const [line] = await written({ redact }, [decisionInstance({ bag })]);
    assert.doesNotMatch(JSON.stringify(line), /s3cret/);
    assert.deepEqual(line?.redacted.length, 5);
  });

  it("hashes configured attributes with the key, equal values alike, even credentials", async () => {
    const bagOf = (key: string) => ({ request: { headers: { "x-api-key": key } } });
    const batch = ["one", "one", "two"].map((key) => decisionInstance({ bag: bagOf(key) }));
    const config = { hash: ["request.headers.x-api-key"], hashKey: KEY };
    const keys = (await written(config, batch)).map(({ bag }) => JSON.stringify(bag));
    assert.equal(keys[0], keys[1]);
    assert.notEqual(keys[0], keys[2]);
    assert.match(keys[0] ?? "", /"x-api-key":"hmac:[\w-]{22}"/);
    const [other] = await written({ ...config, hashKey: `${KEY}!` }, batch);
    assert.notEqual(JSON.stringify(other?.bag), keys[0]);
    assert.deepEqual([other?.hashed, other?.redacted], [["request.headers.x-api-key"], []]);
  });

  it("is refused when hash is set without a key", () => {
    for (const hashKey of [undefined, "short"]) {
      const config = { path: "x", hash: ["request.api_key"], ...(hashKey === undefined ? {} : { hashKey }) };
      assert.throws(() => decisionLog.build(createTestContext(decisionLog, config)), {
        code: "PURSER_HANDLER_BUILD",
      });
    }
  });

  it("lists the texts that it cut", async () => {
    const bag = { request: { id: "a", headers: { long: "x".repeat(9000) } } };
    const [line] = await written({}, [decisionInstance({ bag })]);
    assert.deepEqual(line?.cut, ["request.headers.long"]);
  });
});
