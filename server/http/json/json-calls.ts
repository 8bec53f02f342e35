// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import type { IncomingMessage, ServerResponse } from "node:http";
import { errorBody, httpStatusOfError } from "../../../api/json/error-body.ts";
import type { PurserError } from "../../../kernel/errors.ts";
import type { Logger, Random } from "../../../kernel/ports.ts";
import type { ConcurrencyLimit } from "../../concurrency-limit.ts";
import { codedError, RETRY_AFTER_S } from "../answer-errors.ts";
import { requestIdOf } from "../request-id.ts";
import { requireJsonType, type SurfaceGuard } from "../surface-guard.ts";
import type { BodyReader } from "./body-reader.ts";
import { parseJson, refuseEncoding } from "./json-body.ts";

/** A call: takes the parsed body, returns the reply's body; undefined for 204. */
export type JsonCall = (body: unknown) => unknown;

export interface JsonCallsOptions {
  /** By path, exactly as it stands in the request line. */
  readonly calls: Readonly<Record<string, JsonCall>>;
  readonly bodies: BodyReader;
  readonly limit: ConcurrencyLimit;
}

/** The surface that the calls belong to. */
export interface CallSurface {
  readonly name: string;
  readonly guard: SurfaceGuard;
  readonly random: Random;
  readonly logger: Logger;
  readonly isDraining: () => boolean;
}

/**
 * Serves the calls that proxies make for their requests: POST of JSON, answered with JSON. It stands in front
 * of Koa, whose middleware, contexts and router cost more than a whole check (measured), and keeps the rules of
 * the surface's other paths: surface guard, request id, limits, error bodies.
 */
export class JsonCalls {
  readonly #options: JsonCallsOptions;
  readonly #surface: CallSurface;

  constructor(options: JsonCallsOptions, surface: CallSurface) {
    this.#options = options;
    this.#surface = surface;
  }

  /** Whether a request is one of the calls; other spellings of a path are left to the router. */
  takes({ method, url }: IncomingMessage): boolean {
    return method === "POST" && url !== undefined && Object.hasOwn(this.#options.calls, url);
  }

  /** Adds the calls' paths to the router: for their methods, and for other spellings of a path. */
  addRoutes(router: Router): void {
    for (const [path, call] of Object.entries(this.#options.calls)) {
      router.post(path, async (context) => {
        // This class writes the reply.
        context.respond = false;
        await this.#serve(context.req, context.res, path, call);
      });
    }
  }

  /** Answers a request that `takes` accepted. Never rejects. */
  serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url as string;
    return this.#serve(request, response, path, this.#options.calls[path] as JsonCall);
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    call: JsonCall,
  ): Promise<void> {
    const { name, guard, random, logger } = this.#surface;
    const { bodies, limit } = this.#options;
    const id = requestIdOf(request.headers["x-request-id"], random);
    let bodyRead = false;
    try {
      const refusal = guard(request.headers);
      if (refusal !== undefined) throw refusal;
      requireJsonType(request.headers);
      refuseEncoding(request.headers["content-encoding"]);
      const text = await bodies.read(request);
      bodyRead = true;
      await limit(async () => {
        const reply = await call(parseJson(text));
        this.#send(response, id, reply === undefined ? 204 : 200, reply);
      });
    } catch (error) {
      const coded = codedError(error, { name, logger, path, requestId: id });
      // The rest of a body that was not read would be taken for the next request.
      this.#refuse(response, id, coded, bodyRead);
    }
  }

  #refuse(response: ServerResponse, id: string, error: PurserError, keepAlive: boolean): void {
    if (!keepAlive) response.setHeader("connection", "close");
    if (error.retryable) response.setHeader("retry-after", RETRY_AFTER_S);
    this.#send(response, id, httpStatusOfError(error.code), errorBody(error));
  }

  #send(response: ServerResponse, id: string, status: number, body: unknown): void {
    if (this.#surface.isDraining()) response.setHeader("connection", "close");
    response.setHeader("x-request-id", id);
    if (body === undefined) {
      response.writeHead(status).end();
      return;
    }
    const text = JSON.stringify(body);
    response.writeHead(status, {
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(text),
    });
    response.end(text);
  }
}
