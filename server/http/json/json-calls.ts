// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import type { IncomingMessage, ServerResponse } from "node:http";
import { errorBody, httpStatusOfError } from "../../../api/json/error-body.ts";
import { chain, isPromise } from "../../../kernel/maybe-promise.ts";
import type { Logger, Random } from "../../../kernel/ports.ts";
import type { ConcurrencyLimit } from "../../concurrency-limit.ts";
import { codedError, RETRY_AFTER_S } from "../answer-errors.ts";
import { requestIdOf } from "../request-id.ts";
import { requireJsonType, type SurfaceGuard } from "../surface-guard.ts";
import type { BodyReader, BodyReceiver } from "./body-reader.ts";
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
        await new Promise<void>((resolve) => {
          context.res.once("close", resolve);
          this.#serve(context.req, context.res, path, call);
        });
      });
    }
  }

  /** Answers a request that `takes` accepted. Never throws. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url as string;
    this.#serve(request, response, path, this.#options.calls[path] as JsonCall);
  }

  #serve(request: IncomingMessage, response: ServerResponse, path: string, call: JsonCall): void {
    const exchange = new JsonExchange(this.#surface, this.#options.limit, response, path, call);
    exchange.begin(request, this.#options.bodies);
  }
}

/** One call. It makes a promise only when the call does: a check of in-memory quotas is answered at once. */
class JsonExchange implements BodyReceiver {
  readonly #surface: CallSurface;
  readonly #limit: ConcurrencyLimit;
  readonly #response: ServerResponse;
  readonly #path: string;
  readonly #call: JsonCall;
  #requestId = "";

  constructor(
    surface: CallSurface,
    limit: ConcurrencyLimit,
    response: ServerResponse,
    path: string,
    call: JsonCall,
  ) {
    this.#surface = surface;
    this.#limit = limit;
    this.#response = response;
    this.#path = path;
    this.#call = call;
  }

  begin(request: IncomingMessage, bodies: BodyReader): void {
    const { guard, random } = this.#surface;
    const { headers } = request;
    this.#requestId = requestIdOf(headers["x-request-id"], random);
    try {
      const refusal = guard(headers);
      if (refusal !== undefined) throw refusal;
      requireJsonType(headers);
      refuseEncoding(headers["content-encoding"]);
      bodies.read(request, this);
    } catch (error) {
      this.refused(error);
    }
  }

  received(text: string): void {
    try {
      const answered = this.#limit(() => chain(this.#call(parseJson(text)), (reply) => this.#answer(reply)));
      if (isPromise(answered)) answered.catch((error: unknown) => this.#fail(error, true));
    } catch (error) {
      this.#fail(error, true);
    }
  }

  refused(error: unknown): void {
    // The rest of a body that was not read would be taken for the next request.
    this.#fail(error, false);
  }

  #answer(reply: unknown): void {
    if (reply === undefined) this.#send(204, undefined, true);
    else this.#send(200, JSON.stringify(reply), true);
  }

  #fail(error: unknown, keepAlive: boolean): void {
    const { name, logger } = this.#surface;
    const coded = codedError(error, { name, logger, path: this.#path, requestId: this.#requestId });
    if (coded.retryable) this.#response.setHeader("retry-after", RETRY_AFTER_S);
    this.#send(httpStatusOfError(coded.code), JSON.stringify(errorBody(coded)), keepAlive);
  }

  #send(status: number, text: string | undefined, keepAlive: boolean): void {
    const response = this.#response;
    if (!keepAlive || this.#surface.isDraining()) response.setHeader("connection", "close");
    if (text === undefined) {
      response.writeHead(status, { "x-request-id": this.#requestId }).end();
      return;
    }
    const bytes = Buffer.byteLength(text);
    // node:http writes fields from one object at less cost than those of setHeader.
    response.writeHead(status, {
      "x-request-id": this.#requestId,
      "content-type": "application/json; charset=utf-8",
      "content-length": bytes,
    });
    // ASCII, as nearly all replies are, is the same in both encodings, and Latin-1 is written without a conversion.
    response.end(text, bytes === text.length ? "latin1" : "utf8");
  }
}
