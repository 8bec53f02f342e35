// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";
import { budgetRemaining, ModelApi } from "../support/model-api.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";

const LIMIT = 12_000;
const RESERVED = 100;
const STREAMS = 200;

const DOCUMENTS = `apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: tokens }
spec:
  key: { team: request.headers."x-team" }
  limit: ${LIMIT}
  window: 24h
  algorithm: fixed-window
  reserve: ${RESERVED}
  charge: 'response.body.usage.total_tokens * (response.body.model = "large" ? 2 : 1)'
  lease: 200ms
`;

describe("a budget of tokens under 200 streams that fail, break off and are tried again", function () {
  this.timeout(120_000);
  let mesh: MeshProgram;
  const api = new ModelApi(RESERVED);

  before(async () => {
    mesh = await startMesh(DOCUMENTS, { listener: api.answer });
  });
  after(() => mesh?.stop());

  /** Sends one request; resolves with its status when it was answered, or broken off after the first event. */
  async function play(kind: "small" | "large" | "fail" | "hang"): Promise<number> {
    const abort = new AbortController();
    const headers = { host: "shop", "x-team": "search", "x-play": kind };
    const { statusCode, body } = await request(`${mesh.edge}/v1/chat/completions`, {
      method: "POST",
      headers,
      body: "{}",
      signal: abort.signal,
    });
    if (statusCode === 200 && kind === "hang") {
      for await (const _ of body) break;
      abort.abort();
    } else await body.dump({ limit: 1_000_000 });
    return statusCode;
  }

  const remaining = (): Promise<number> =>
    budgetRemaining(mesh.mixer, { policy: "tokens", cell: 'tokens{"team":"search"}', limit: LIMIT });

  it("is charged what the provider counts, and never exceeded", async () => {
    const statuses = new Map<number, number>();
    const kinds = ["small", "large", "fail", "hang", "small"] as const;
    const client = async (first: number): Promise<void> => {
      // The budget lasts for some of them; the others try until it is used up, and once more.
      for (let index = first; index < first + 10; index++) {
        const kind = kinds[(index + Math.floor(Math.random() * 2)) % kinds.length] as (typeof kinds)[number];
        const status = await play(kind);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        assert.ok(api.spent + RESERVED * api.broken <= LIMIT, "more is spent than the budget");
      }
    };
    await Promise.all(Array.from({ length: STREAMS }, (_, first) => client(first)));
    assert.ok((statuses.get(429) ?? 0) > 0, JSON.stringify([...statuses]));
    assert.ok(api.largestInFlight > 10, `${api.largestInFlight} at once`);
    // Leases go back when they end; a reservation of a broken-off stream stays charged.
    const ledger = (): number => LIMIT - api.spent - RESERVED * api.broken;
    await eventually(async () => assert.equal(await remaining(), ledger()), { deadlineMs: 10_000 });
    // What refused requests left can be used.
    await eventually(
      async () => {
        while ((await play("small")) === 200);
        assert.ok((await remaining()) < RESERVED, `${await remaining()} left`);
      },
      { deadlineMs: 10_000 },
    );
    await eventually(async () => assert.equal(await remaining(), ledger()), { deadlineMs: 10_000 });
  });
});
