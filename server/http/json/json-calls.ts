// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Operation } from "../../../api/json/operations/operation.ts";
import type { ConcurrencyLimit } from "../../concurrency-limit.ts";
import type { SurfaceRouter } from "../surface-router.ts";
import type { BodyReader } from "./body-reader.ts";
import { CallTurn } from "./call-turn.ts";
import { type CallSurface, type ExchangeTools, type JsonCall, JsonExchange } from "./json-exchange.ts";

/** A call with its description, whose path is compared exactly as it stands in the request line. */
export interface DescribedCall {
  readonly operation: Operation;
  readonly call: JsonCall;
}

export interface JsonCallsOptions {
  readonly calls: readonly DescribedCall[];
  readonly bodies: BodyReader;
  readonly limit: ConcurrencyLimit;
}

/**
 * Serves the calls that proxies make for their requests: POST of JSON, answered with JSON. It stands in front
 * of Koa, whose middleware, contexts and router cost more than a whole check (measured), and keeps the rules of
 * the surface's other paths: surface guard, request id, limits, error bodies.
 */
export class JsonCalls {
  readonly #described: readonly DescribedCall[];
  readonly #calls: Readonly<Record<string, JsonCall>>;
  readonly #tools: ExchangeTools;

  constructor({ calls, bodies, limit }: JsonCallsOptions, surface: CallSurface) {
    this.#described = calls;
    this.#calls = Object.fromEntries(calls.map(({ operation, call }) => [operation.path, call]));
    this.#tools = { surface, bodies, limit, turn: new CallTurn() };
  }

  /** Whether a request is one of the calls; other spellings of a path are left to the router. */
  takes({ method, url }: IncomingMessage): boolean {
    return method === "POST" && url !== undefined && Object.hasOwn(this.#calls, url);
  }

  /** Adds the calls' paths to the router: for their methods, and for other spellings of a path. */
  addRoutes(router: SurfaceRouter): void {
    for (const { operation, call } of this.#described) {
      const { path } = operation;
      router.serve(operation, async (context) => {
        // This class writes the reply.
        context.respond = false;
        await new Promise<void>((resolve) => {
          context.res.once("close", resolve);
          new JsonExchange(this.#tools, context.res, path, call).begin(context.req);
        });
      });
    }
  }

  /** Answers a request that `takes` accepted. Never throws. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url as string;
    const call = this.#calls[path] as JsonCall;
    new JsonExchange(this.#tools, response, path, call).begin(request);
  }
}
