// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Agent, Dispatcher } from "undici";
import type { HttpClient, HttpRequest, HttpResponse } from "../../../core/hooks/http-client.ts";
import type { AbortSignalLike, CallContext } from "../../../kernel/deadline.ts";
import { isPurserError, messageOf, PurserError } from "../../../kernel/errors.ts";
import type { Clock } from "../../../kernel/ports.ts";
import { toJson } from "../json.ts";
import { httpFailure } from "./failure.ts";

/** Maximum number of connections to one origin. */
const MAX_CONNECTIONS = 16;

/** Maximum time for a connection to be made, TLS included, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Maximum body of a response, in bytes. */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/** A client and its end. */
export interface OwnedHttpClient extends HttpClient {
  /** Ends every connection and rejects the calls under way. May be called twice. */
  close(): Promise<void>;
}

/** An HttpClient on a connection pool of its own. Loads undici, which takes some 40 ms, at its first request. */
export function createHttpClient(clock: Clock): OwnedHttpClient {
  return new PooledHttpClient(clock);
}

class PooledHttpClient implements OwnedHttpClient {
  readonly #clock: Clock;
  #agent: Promise<Agent> | undefined;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async request(request: HttpRequest, { signal }: CallContext): Promise<HttpResponse> {
    this.#assertOpen();
    if (signal.aborted) throw timedOut(request.url);
    try {
      const agent = await this.#pool();
      const answer = await agent.request(optionsOf(request, signal));
      return responseOf(answer, await readAll(answer.body));
    } catch (error) {
      this.#assertOpen();
      if (signal.aborted) throw timedOut(request.url);
      if (isPurserError(error)) throw error;
      throw unreachable(request.url, error);
    }
  }

  async send(request: HttpRequest, call: CallContext): Promise<HttpResponse> {
    const response = await this.request(request, call);
    const failure = httpFailure(response, this.#clock);
    if (failure !== undefined) throw failure;
    return response;
  }

  async close(): Promise<void> {
    this.#closed = true;
    // Destroys what is under way: whoever closes has waited for it, or has no more time to.
    await this.#agent?.then((agent) => agent.destroy());
  }

  #pool(): Promise<Agent> {
    return (this.#agent ??= import("undici").then(({ Agent }) => {
      const agent = new Agent({ connections: MAX_CONNECTIONS, connect: { timeout: CONNECT_TIMEOUT_MS } });
      return agent;
    }));
  }

  #assertOpen(): void {
    if (this.#closed)
      throw new PurserError("PURSER_HANDLER_FAILED", "the handler is closed", { retryable: false });
  }
}

function optionsOf(
  request: HttpRequest,
  signal: AbortSignalLike,
): Dispatcher.RequestOptions & { origin: string } {
  const { url, json } = request;
  const parsed = new URL(url);
  const body = request.body ?? (json === undefined ? undefined : (toJson(json) ?? "null"));
  const type = json === undefined ? {} : { "content-type": "application/json" };
  return {
    origin: parsed.origin,
    path: `${parsed.pathname}${parsed.search}`,
    method: (request.method ?? (body === undefined ? "GET" : "POST")) as Dispatcher.HttpMethod,
    headers: { ...type, ...authorizationOf(parsed), ...request.headers },
    body: body ?? null,
    signal: signal as AbortSignal,
    // The call's own deadline bounds the answer.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
}

/** A URL's user and password, as basic authorization. */
function authorizationOf({ username, password }: URL): { readonly authorization?: string } {
  if (username === "" && password === "") return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_RESPONSE_BYTES)
      throw new PurserError(
        "PURSER_HANDLER_FAILED",
        `the response is larger than ${MAX_RESPONSE_BYTES} bytes`,
        {
          retryable: true,
        },
      );
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
}

function responseOf({ statusCode, headers }: Dispatcher.ResponseData, body: Uint8Array): HttpResponse {
  const text = (): string => Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  return {
    status: statusCode,
    headers: Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
      ),
    ),
    body,
    text,
    json() {
      try {
        return JSON.parse(text()) as unknown;
      } catch (error) {
        throw new PurserError("PURSER_HANDLER_FAILED", `the answer is not JSON: ${messageOf(error)}`, {
          cause: error,
          retryable: true,
        });
      }
    },
  };
}

function timedOut(url: string): PurserError {
  return new PurserError("PURSER_HANDLER_TIMEOUT", `${placeOf(url)} did not answer in time`);
}

function unreachable(url: string, error: unknown): PurserError {
  return new PurserError("PURSER_HANDLER_FAILED", `${placeOf(url)} cannot be reached: ${reasonOf(error)}`, {
    cause: error,
    retryable: true,
  });
}

/** The origin, without the user and the query, which may hold secrets. */
function placeOf(url: string): string {
  return new URL(url).origin;
}

/** A message; Node's AggregateError, of several addresses, has only a code. */
function reasonOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  const message = messageOf(error);
  return message === "" && typeof code === "string" ? code : message;
}
