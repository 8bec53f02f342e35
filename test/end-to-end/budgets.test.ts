// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";
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

/** A model API: streams events, with the usage in the event before the end mark, as OpenAI's API does. */
class ModelApi {
  /** Tokens of the answers that were sent whole, weighted by model. */
  spent = 0;
  /** Answers that their clients did not wait for. */
  abandoned = 0;
  largestInFlight = 0;
  #inFlight = 0;

  readonly answer = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    incoming.resume();
    this.#inFlight++;
    this.largestInFlight = Math.max(this.largestInFlight, this.#inFlight);
    outgoing.once("close", () => void this.#inFlight--);
    switch (incoming.headers["x-play"]) {
      case "fail":
        outgoing.writeHead(503).end();
        return;
      case "hang":
        this.abandoned++;
        outgoing.writeHead(200, { "content-type": "text/event-stream" });
        outgoing.write('data: {"model":"small","usage":null}\n\n');
        return;
      default:
        this.#stream(incoming.headers["x-play"] === "large" ? "large" : "small", outgoing);
    }
  };

  #stream(model: "small" | "large", outgoing: ServerResponse): void {
    const tokens = 1 + Math.floor(Math.random() * (RESERVED / 2));
    let left = 5;
    outgoing.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => {
      outgoing.write(`data: {"model":"${model}","choices":[{"delta":{"content":"ü"}}],"usage":null}\n\n`);
      if (--left > 0) return;
      clearInterval(timer);
      this.spent += tokens * (model === "large" ? 2 : 1);
      outgoing.end(
        `data: {"model":"${model}","choices":[],"usage":{"total_tokens":${tokens}}}\n\ndata: [DONE]\n\n`,
      );
    }, 2);
  }
}

describe("a budget of tokens under 200 streams that fail, break off and are tried again", function () {
  this.timeout(120_000);
  let mesh: MeshProgram;
  const api = new ModelApi();

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

  const remaining = async (): Promise<number> => {
    const charge = { policy: "tokens", cell: 'tokens{"team":"search"}', limit: LIMIT, leaseMs: 0, amount: 0 };
    const policies = await request(`${mesh.mixer}/v1/policy-state?node=test&waitMs=0`);
    const { version } = (await policies.body.json()) as { readonly version: string };
    const answer = await request(`${mesh.mixer}/v1/quota`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        version,
        deduplicationId: `look ${performance.now()}`,
        charges: [{ ...charge, bestEffort: true }],
      }),
    });
    const reply = (await answer.body.json()) as {
      readonly quotas: readonly { readonly remaining: number }[];
    };
    return (reply.quotas[0] as { readonly remaining: number }).remaining;
  };

  it("is charged what the provider counts, and never exceeded", async () => {
    const statuses = new Map<number, number>();
    const kinds = ["small", "large", "fail", "hang", "small"] as const;
    const client = async (first: number): Promise<void> => {
      // The budget lasts for some of them; the others try until it is used up, and once more.
      for (let index = first; index < first + 10; index++) {
        const kind = kinds[(index + Math.floor(Math.random() * 2)) % kinds.length] as (typeof kinds)[number];
        const status = await play(kind);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        assert.ok(api.spent + RESERVED * api.abandoned <= LIMIT, "more is spent than the budget");
      }
    };
    await Promise.all(Array.from({ length: STREAMS }, (_, first) => client(first)));
    assert.ok((statuses.get(429) ?? 0) > 0, JSON.stringify([...statuses]));
    assert.ok(api.largestInFlight > 10, `${api.largestInFlight} at once`);
    // Leases go back when they end; a reservation of a broken-off stream stays charged.
    const ledger = (): number => LIMIT - api.spent - RESERVED * api.abandoned;
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
