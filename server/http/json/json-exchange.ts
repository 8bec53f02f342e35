// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { IncomingMessage, ServerResponse } from "node:http";
import { errorBody, httpStatusOfError } from "../../../api/json/error-body.ts";
import { chain, isPromise } from "../../../kernel/maybe-promise.ts";
import type { Logger, Random } from "../../../kernel/ports.ts";
import type { ConcurrencyLimit } from "../../concurrency-limit.ts";
import { codedError, RETRY_AFTER_S, UNAUTHENTICATED } from "../answer-errors.ts";
import { requestIdOf } from "../request-id.ts";
import { type AccessCheck, CHALLENGE } from "../surface-access.ts";
import { requireJsonType, type SurfaceGuard } from "../surface-guard.ts";
import type { BodyReader, BodyReceiver } from "./body-reader.ts";
import type { CallTurn, StagedCall } from "./call-turn.ts";
import { parseJson, refuseEncoding } from "./json-body.ts";

/** A call: takes the parsed body, returns the reply's body; undefined for 204. */
export type JsonCall = (body: unknown) => unknown;

/** The surface that the calls belong to. */
export interface CallSurface {
  readonly name: string;
  readonly guard: SurfaceGuard;
  /** Undefined for a surface that is open to everybody. */
  readonly accessCheck?: AccessCheck | undefined;
  readonly random: Random;
  readonly logger: Logger;
  readonly isDraining: () => boolean;
}

/** The parts that all exchanges of a surface share. */
export interface ExchangeTools {
  readonly surface: CallSurface;
  readonly bodies: BodyReader;
  readonly limit: ConcurrencyLimit;
  readonly turn: CallTurn;
}

/**
 * Maximum length of a body that waits for the turn, in characters; a longer one is decided when it has arrived. The
 * bodies of a turn then hold no more memory than node:http grants the heads of their requests, and one that takes long
 * to parse delays no reply that is known. Checks have about a thousand characters.
 */
const MAX_DEFERRED_LENGTH = 16 * 1_024;

/**
 * One call: a request and its response. It makes a promise only when the call does: a check of in-memory quotas is
 * answered in the turn in which it arrived.
 */
export class JsonExchange implements BodyReceiver, StagedCall {
  readonly #tools: ExchangeTools;
  readonly #response: ServerResponse;
  readonly #path: string;
  readonly #call: JsonCall;
  #requestId = "";
  /** The request's body until the decision, then the encoded reply; undefined for a reply without a body. */
  #text: string | undefined;
  #reply: unknown;
  /** Undefined until the reply is encoded. */
  #status: number | undefined;

  constructor(tools: ExchangeTools, response: ServerResponse, path: string, call: JsonCall) {
    this.#tools = tools;
    this.#response = response;
    this.#path = path;
    this.#call = call;
  }

  begin(request: IncomingMessage): void {
    const { surface, bodies } = this.#tools;
    const { headers } = request;
    this.#requestId = requestIdOf(headers["x-request-id"], surface.random);
    try {
      const refusal = surface.guard(headers);
      if (refusal !== undefined) throw refusal;
      const denial = surface.accessCheck?.(request, false);
      if (denial !== undefined) throw denial;
      requireJsonType(headers);
      refuseEncoding(headers["content-encoding"]);
      bodies.read(request, this);
    } catch (error) {
      this.refused(error);
    }
  }

  received(text: string): void {
    this.#text = text;
    if (text.length > MAX_DEFERRED_LENGTH) this.decide();
    else this.#tools.turn.decideInTurn(this);
  }

  refused(error: unknown): void {
    // The rest of a body that was not read would be taken for the next request.
    this.#response.setHeader("connection", "close");
    this.#fail(error);
    this.write();
  }

  decide(): void {
    const text = this.#text as string;
    this.#text = undefined;
    // The quotas of a client that has left would be charged for a request that nobody serves.
    if (this.#response.req.socket.destroyed) return;
    try {
      const known = this.#tools.limit(() =>
        chain(this.#call(parseJson(text)), (reply) => {
          this.#reply = reply;
          this.#tools.turn.replyInTurn(this);
        }),
      );
      if (isPromise(known)) known.catch((error: unknown) => this.#failInTurn(error));
    } catch (error) {
      this.#failInTurn(error);
    }
  }

  encode(): void {
    // Errors are encoded when they are known.
    if (this.#status !== undefined) return;
    try {
      this.#text = this.#reply === undefined ? undefined : JSON.stringify(this.#reply);
      this.#status = this.#text === undefined ? 204 : 200;
    } catch (error) {
      this.#fail(error);
    }
  }

  write(): void {
    const response = this.#response;
    const text = this.#text;
    const status = this.#status as number;
    if (this.#tools.surface.isDraining()) response.setHeader("connection", "close");
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

  #failInTurn(error: unknown): void {
    this.#fail(error);
    this.#tools.turn.replyInTurn(this);
  }

  #fail(error: unknown): void {
    const { name, logger } = this.#tools.surface;
    const coded = codedError(error, { name, logger, path: this.#path, requestId: this.#requestId });
    if (coded.retryable) this.#response.setHeader("retry-after", RETRY_AFTER_S);
    if (coded.code === UNAUTHENTICATED) this.#response.setHeader("www-authenticate", CHALLENGE);
    this.#status = httpStatusOfError(coded.code);
    this.#text = JSON.stringify(errorBody(coded));
  }
}
