// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Explanation } from "../../core/explain/explanation.ts";
import { createExplainKey } from "./explain-key.ts";
import {
  ALLOW,
  call,
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  httpUpstream,
  startProxy,
} from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";
import type { CheckOptions, CheckResult } from "../policy/check-result.ts";

const KEY = "a-key-that-is-long-enough";

const trace = {
  start: 0,
  end: 4,
  kind: "path",
  values: ["true"],
  count: 1,
  decides: true as const,
  children: [],
};

/** An explanation from the mixer; the tests are about the proxy's use of it. */
const EXPLANATION: Explanation = {
  nowMs: 0,
  decision: {
    status: { code: "OK", message: "" },
    httpStatus: 200,
    requestHeaders: [],
    responseHeaders: [],
    shadowDenials: [],
    audits: [],
    charges: [],
  },
  documents: [
    {
      kind: "AccessPolicy",
      name: "readers",
      location: { file: "a.yaml", line: 1, column: 1 },
      action: "ALLOW",
      mode: "enforce",
      outcome: "passed",
      decides: true,
      faults: [],
      expressions: [
        { field: "when", source: "a\n= 'ü'", value: "true", trace: { ...trace, text: "a\n= 'ü'" } },
      ],
    },
  ],
};

const DENIAL: CheckResult["outcome"] = {
  kind: "deny",
  status: { code: "PERMISSION_DENIED", message: "no" },
  decidedBy: { kind: "AccessPolicy", name: "readers" },
};

describeTransports("a proxy that is asked why", () => {
  afterEach(cleanUp);

  async function start(
    key: string | undefined,
    outcome: CheckResult["outcome"] = { kind: "allow" },
    clusterMore = {},
  ) {
    const arrived: unknown[] = [];
    const upstream = await httpUpstream((incoming, outgoing) => {
      arrived.push(incoming.headers["x-purser-explain"]);
      outgoing.end("ok");
    });
    const config = configOf({ clusters: [clusterOf([endpointAt(upstream.port)], clusterMore)] });
    const rig = await startProxy(config, key === undefined ? {} : { explainKey: createExplainKey(key) });
    const asked: (CheckOptions | undefined)[] = [];
    rig.policy.check = (bag, options?: CheckOptions) => {
      rig.policy.checks.push(bag);
      asked.push(options);
      return { ...ALLOW, outcome, ...(options?.explain === true ? { explanation: EXPLANATION } : {}) };
    };
    const ask = (given: string) => call(rig.port, { headers: { "x-purser-explain": given } });
    return { ...rig, arrived, asked, ask };
  }

  it("sends in a header which policy allowed the request, and hides the key from policies and upstream", async () => {
    const { ask, arrived, policy } = await start(KEY);
    const reply = await ask(KEY);
    assert.equal(reply.status, 200);
    assert.equal(reply.headers["x-purser-explanation"], "AccessPolicy/readers when: a = '?'");
    assert.deepEqual(arrived, [undefined]);
    assert.ok(!JSON.stringify(policy.checks).includes(KEY));
  });

  it("puts the whole explanation into the body of a refusal", async () => {
    const { ask } = await start(KEY, DENIAL);
    const reply = await ask(KEY);
    assert.equal(reply.status, 403);
    assert.deepEqual((JSON.parse(reply.body) as { explanation: unknown }).explanation, EXPLANATION);
  });

  it("explains nothing for a wrong key, and removes the header", async () => {
    const { ask, asked, arrived } = await start(KEY);
    for (const wrong of ["", `${KEY}x`, KEY.slice(1)]) {
      const reply = await ask(wrong);
      assert.equal(reply.headers["x-purser-explanation"], undefined);
    }
    assert.ok(asked.every((options) => options?.explain !== true));
    assert.deepEqual(arrived, [undefined, undefined, undefined]);
    const refused = await (await start(KEY, DENIAL)).ask("wrong");
    assert.equal("explanation" in (JSON.parse(refused.body) as object), false);
  });

  it("explains nothing when it has no key itself", async () => {
    const { ask, asked, arrived } = await start(undefined);
    const reply = await ask(KEY);
    assert.equal(reply.headers["x-purser-explanation"], undefined);
    assert.equal(asked[0]?.explain, false);
    // An edge removes all these headers.
    assert.deepEqual(arrived, [undefined]);
  });

  it("forwards the right key, and no other, to the sidecar that decides", async () => {
    const { ask, asked, arrived } = await start(KEY, { kind: "allow" }, { checkedByDestination: true });
    await ask(KEY);
    await ask("wrong");
    assert.deepEqual(asked, []);
    assert.deepEqual(arrived, [KEY, undefined]);
  });
});
