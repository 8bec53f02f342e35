// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type AuthorizationInstance,
  type CallContext,
  CircuitBreaker,
  type Clock,
  type HttpClient,
  httpFailure,
  type HttpResponse,
  PurserError,
  type Random,
} from "../../plugins/sdk/index.ts";
import { type Config, decisionUrl } from "./config.ts";

const BREAKER_FAILURES = 5;

/** Longest pause between attempts to reach an unavailable OPA, in milliseconds: bounds the time until its recovery is noticed. */
const BREAKER_OPEN_MS = 500;

/**
 * Statuses of an OPA, or a proxy before it, that cannot serve now. Not 500, with which OPA answers an error of the policy: input
 * that provokes such errors must not cut off all other requests.
 */
const UNAVAILABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface DecisionsOptions {
  readonly config: Config;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Decision {
  /** OPA's name of the decision in its decision log; undefined while it keeps none. */
  readonly id: string | undefined;
  /** Undefined when no rule of the policy gave a result. */
  readonly result: unknown;
}

/** Asks OPA, within the call's deadline, behind a circuit breaker and a bound on the calls under way. */
export class Decisions {
  readonly #options: DecisionsOptions;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #breaker: CircuitBreaker;
  #underWay = 0;

  constructor(options: DecisionsOptions) {
    this.#options = options;
    const { config, clock, random } = options;
    this.#url = decisionUrl(config);
    this.#headers = config.token === undefined ? {} : { authorization: `Bearer ${config.token}` };
    this.#breaker = new CircuitBreaker({
      clock,
      random,
      failures: BREAKER_FAILURES,
      openMs: BREAKER_OPEN_MS,
    });
  }

  /**
   * @throws PurserError PURSER_HANDLER_FAILED when OPA cannot be reached, refuses or answers no JSON object, is not called because
   *   it was unavailable, or has too many calls under way; PURSER_HANDLER_TIMEOUT when the signal aborts first.
   */
  async ask({ subject, action }: AuthorizationInstance, call: CallContext): Promise<Decision> {
    const { maxConcurrent } = this.#options.config;
    if (this.#underWay >= maxConcurrent) throw this.#unavailable(`has ${maxConcurrent} calls under way`);
    const ticket = this.#breaker.begin();
    if (ticket === undefined) throw this.#unavailable("is not called after several failures");
    this.#underWay++;
    let reached = false;
    try {
      const response = await this.#options.http.request(
        { url: this.#url, headers: this.#headers, json: { input: { subject, action } } },
        call,
      );
      reached = !UNAVAILABLE.has(response.status);
      return this.#decisionOf(response);
    } finally {
      this.#underWay--;
      this.#breaker.end(ticket, reached);
    }
  }

  #decisionOf(response: HttpResponse): Decision {
    const failure = httpFailure(response, this.#options.clock);
    if (failure !== undefined) throw failure;
    const body = response.json();
    if (typeof body !== "object" || body === null || Array.isArray(body))
      throw new PurserError("PURSER_HANDLER_FAILED", "OPA's answer is not a JSON object", {
        retryable: true,
      });
    const { decision_id: id, result } = body as { readonly decision_id?: unknown; readonly result?: unknown };
    return { id: typeof id === "string" ? id : undefined, result };
  }

  #unavailable(what: string): PurserError {
    return new PurserError("PURSER_HANDLER_FAILED", `OPA at ${new URL(this.#url).origin} ${what}`, {
      retryable: true,
    });
  }
}
