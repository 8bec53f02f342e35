// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { IncomingMessage, ServerResponse } from "node:http";
import { request } from "undici";

/** Header that tells the API what to play; its values. */
export const PLAY_HEADER = "x-play";
export type Play = "small" | "large" | "fail" | "hang";

/** Events of an answer before its usage. */
const EVENTS = 5;
const EVENT_INTERVAL_MS = 20;

/** A model API that streams events, with the usage in the event before the end mark, as OpenAI's API does. */
export class ModelApi {
  /** Tokens of the answers that were sent whole, weighted by model. */
  spent = 0;
  /** Tokens that were generated for answers that were broken off, weighted by model. */
  spentInVain = 0;
  /** Answers that were broken off before their usage was sent. */
  broken = 0;
  largestInFlight = 0;
  inFlight = 0;
  readonly #most: number;

  /** @param most The most that one answer costs. */
  constructor(most: number) {
    this.#most = most;
  }

  readonly answer = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    incoming.resume();
    this.inFlight++;
    this.largestInFlight = Math.max(this.largestInFlight, this.inFlight);
    outgoing.once("close", () => void this.inFlight--);
    const play = incoming.headers[PLAY_HEADER];
    if (play === "fail") outgoing.writeHead(503).end();
    else this.#stream(play === "large" ? "large" : "small", play === "hang", outgoing);
  };

  #stream(model: "small" | "large", hangs: boolean, outgoing: ServerResponse): void {
    const tokens = 1 + Math.floor(Math.random() * (this.#most / 2));
    const cost = tokens * (model === "large" ? 2 : 1);
    let sent = 0;
    outgoing.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => {
      if (hangs && sent > 0) return;
      outgoing.write(`data: {"model":"${model}","choices":[{"delta":{"content":"ü"}}],"usage":null}\n\n`);
      if (++sent < EVENTS) return;
      clearInterval(timer);
      this.spent += cost;
      outgoing.off("close", breakOff);
      outgoing.end(
        `data: {"model":"${model}","choices":[],"usage":{"total_tokens":${tokens}}}\n\ndata: [DONE]\n\n`,
      );
    }, EVENT_INTERVAL_MS);
    const breakOff = (): void => {
      clearInterval(timer);
      this.broken++;
      this.spentInVain += Math.floor((cost * sent) / EVENTS);
    };
    outgoing.once("close", breakOff);
  }
}

/** The part of a budget that a mixer says is left. */
export async function budgetRemaining(
  mixer: string,
  count: { readonly policy: string; readonly cell: string; readonly limit: number },
): Promise<number> {
  const policies = await request(`${mixer}/v1/policy-state?node=test&waitMs=0`);
  const { version } = (await policies.body.json()) as { readonly version: string };
  const answer = await request(`${mixer}/v1/quota`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      version,
      deduplicationId: `look ${performance.now()}`,
      charges: [{ ...count, leaseMs: 0, amount: 0, bestEffort: true }],
    }),
  });
  const reply = (await answer.body.json()) as { readonly quotas: readonly { readonly remaining: number }[] };
  return (reply.quotas[0] as { readonly remaining: number }).remaining;
}
