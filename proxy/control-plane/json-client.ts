// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ConnectionOptions } from "node:tls";
import type { Pool } from "undici";
import { errorOfBody } from "../../api/json/error-body.ts";
import { type CallContext, withDeadline } from "../../kernel/deadline.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import type { Scheduler } from "../../kernel/ports.ts";

/** The TLS of a client. */
export interface ClientTls {
  /**
   * Roots to trust, in PEM; absent for the authorities that Node.js brings; undefined to accept any server, for calls that need no
   * trust.
   */
  readonly authorities?: string | undefined;
  /** The certificate chain and its key, in PEM. */
  readonly certificate?: string;
  readonly privateKey?: string;
  /**
   * Reason that a server with these subject alternative names (Node's text) is not the right one; undefined when it is.
   * Absent: the certificate must have the name or address of the URL.
   */
  readonly serverFault?: ((subjectAltNames: string) => string | undefined) | undefined;
}

export interface JsonClientOptions {
  /** The server's origin, with an optional path that prefixes the path of each call. */
  readonly url: string;
  /**
   * Error code of failures without a code of their own: PURSER_MIXER_UNAVAILABLE,
   * PURSER_PILOT_UNAVAILABLE or PURSER_IDENTITY_UNAVAILABLE.
   */
  readonly unavailable: ErrorCode;
  readonly scheduler: Scheduler;
  readonly connectTimeoutMs: number;
  /** The Authorization field of the next call; absent for none. */
  readonly authorization?: (() => string) | undefined;
  /** Of `https:` URLs; a function is asked for each connection. Default: the authorities of Node.js, and no certificate. */
  readonly tls?: ClientTls | (() => ClientTls) | undefined;
  /** Maximum number of connections; further calls wait, within their own deadlines. */
  readonly connections: number;
  /** Maximum size of a reply; a longer reply is a failure. */
  readonly replyLimitBytes: number;
}

export interface JsonCall {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** The body, as JSON text. */
  readonly body?: string;
  readonly timeoutMs: number;
  /** Aborting the signal aborts the call. */
  readonly signal?: AbortSignal | undefined;
}

export interface JsonReply {
  readonly status: number;
  /** The parsed body; undefined for a status without a body (204, 304). */
  readonly body: unknown;
}

/** A call without a usable reply, as a value. */
export class CallFailure {
  readonly error: PurserError;
  /**
   * How the call failed:
   * - `unsent`: nothing reached the server.
   * - `refused`: the server answered with a coded error.
   * - `broken`, `late`: the connection broke or the deadline passed. The server may have carried out the
   *   call, so that only an idempotent call may be repeated.
   */
  readonly how: "unsent" | "refused" | "broken" | "late";

  constructor(how: CallFailure["how"], error: PurserError) {
    this.how = how;
    this.error = error;
  }
}

/** Error codes of undici and of the system for failures before anything was sent. */
const NOT_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_CLOSED",
  "UND_ERR_DESTROYED",
]);

const GET_HEADERS = { accept: "application/json" };
const POST_HEADERS = { accept: "application/json", "content-type": "application/json" };

/**
 * JSON over HTTP/1.1 to one server of the control plane. Every call has a deadline, and every reply a maximum
 * size.
 */
export class JsonClient {
  readonly #options: JsonClientOptions;
  /** Made when undici is loaded, which takes some 60 ms: a proxy whose mixer and pilot are in its process never needs it. */
  readonly #pool: Promise<Pool>;
  readonly #basePath: string;

  constructor(options: JsonClientOptions) {
    const { origin, pathname } = new URL(options.url);
    this.#options = options;
    this.#basePath = pathname.replace(/\/$/, "");
    this.#pool = createPool(origin, options);
  }

  get url(): string {
    return this.#options.url;
  }

  /** Makes a call. A failure is a value and never thrown, since every caller has a fallback. */
  async call(call: JsonCall): Promise<JsonReply | CallFailure> {
    const { timeoutMs, signal } = call;
    let late: Error | undefined;
    try {
      return await withDeadline(
        this.#options.scheduler,
        timeoutMs,
        (context) => this.#send(call, context),
        () => (late = new Error(`no answer within ${timeoutMs} ms`)),
        signal,
      );
    } catch (error) {
      const how = error === late ? "late" : NOT_SENT.has(codeOf(error)) ? "unsent" : "broken";
      return this.#failure(how, messageOf(error), error);
    }
  }

  async #send({ method, path, body }: JsonCall, { signal }: CallContext): Promise<JsonReply | CallFailure> {
    const pool = await this.#pool;
    const response = await pool.request({
      method,
      path: this.#basePath + path,
      headers: this.#headers(body),
      body: body ?? null,
      signal: signal as AbortSignal,
    });
    const text = await this.#read(response.body);
    const { statusCode: status } = response;
    if (status === 304 || status === 204) return { status, body: undefined };
    if (status >= 200 && status < 300) return { status, body: JSON.parse(text) };
    return this.#refusal(status, text);
  }

  #headers(body: string | undefined): Readonly<Record<string, string>> {
    const { authorization } = this.#options;
    const fields = body === undefined ? GET_HEADERS : POST_HEADERS;
    return authorization === undefined ? fields : { ...fields, authorization: authorization() };
  }

  /** Aborts the calls under way and closes the connections. */
  async close(): Promise<void> {
    await (await this.#pool).destroy();
  }

  async #read(body: AsyncIterable<Buffer>): Promise<string> {
    const { replyLimitBytes } = this.#options;
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > replyLimitBytes) throw new Error(`the answer is larger than ${replyLimitBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  /**
   * The coded error in the reply's body; a body without a code counts as `broken`, since a proxy in between
   * may have sent it.
   */
  #refusal(status: number, text: string): CallFailure {
    const told = errorOfBody(text);
    if (told === undefined) return this.#failure("broken", `answered ${status}`);
    return new CallFailure("refused", new PurserError(told.code, `${this.url}: ${told.message}`));
  }

  #failure(how: CallFailure["how"], what: string, cause?: unknown): CallFailure {
    return new CallFailure(
      how,
      new PurserError(this.#options.unavailable, `${this.url}: ${what}`, { cause }),
    );
  }
}

type TlsConnectOptions = Pick<
  ConnectionOptions,
  "ca" | "cert" | "key" | "rejectUnauthorized" | "checkServerIdentity"
>;

async function createPool(origin: string, options: JsonClientOptions): Promise<Pool> {
  const { connections, connectTimeoutMs: timeout, tls } = options;
  const { buildConnector, Pool } = await import("undici");
  return new Pool(origin, {
    connections,
    connect:
      typeof tls === "function"
        ? (target, callback) => buildConnector({ timeout, ...connectOptions(tls()) })(target, callback)
        : { timeout, ...connectOptions(tls) },
    // Each call has its own deadline; undici's timeouts would only hide which one passed.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

function connectOptions(tls: ClientTls | undefined): TlsConnectOptions {
  if (tls === undefined) return {};
  const { authorities, certificate, privateKey, serverFault } = tls;
  const acceptsAny = "authorities" in tls && authorities === undefined;
  return {
    ...(acceptsAny ? { rejectUnauthorized: false } : {}),
    ...(authorities === undefined ? {} : { ca: authorities }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(privateKey === undefined ? {} : { key: privateKey }),
    ...(serverFault === undefined ? {} : { checkServerIdentity: identityCheck(serverFault) }),
  };
}

function identityCheck(
  serverFault: NonNullable<ClientTls["serverFault"]>,
): NonNullable<ConnectionOptions["checkServerIdentity"]> {
  return (_host, { subjectaltname = "" }) => {
    const fault = serverFault(subjectaltname);
    return fault === undefined ? undefined : new Error(fault);
  };
}

function codeOf(error: unknown): string {
  const { code, errors } = (error ?? {}) as { readonly code?: unknown; readonly errors?: readonly unknown[] };
  if (typeof code === "string") return code;
  // After attempts at several addresses, undici throws an AggregateError.
  return errors?.[0] === undefined ? "" : codeOf(errors[0]);
}
