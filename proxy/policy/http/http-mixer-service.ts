// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { LRUCache } from "lru-cache";
import type {
  AllocateReply,
  AllocateRequest,
  CallOptions,
  CheckReply,
  CheckRequest,
  MixerService,
  PolicyState,
  ProxyIdentity,
  ReportRequest,
} from "../../../api/mixer-service.ts";
import { CHECK_PATH, decodeCheckReply } from "../../../api/json/check.ts";
import { decodePolicyState, encodePolicyStateQuery } from "../../../api/json/policy-state.ts";
import { decodeAllocateReply, QUOTA_PATH } from "../../../api/json/quota.ts";
import { encodeReportRequest, REPORT_PATH } from "../../../api/json/report.ts";
import { isPurserError, PurserError } from "../../../kernel/errors.ts";
import type { Clock, Logger, Random, Scheduler } from "../../../kernel/ports.ts";
import { CallFailure, type ClientTls, JsonClient } from "../../control-plane/json-client.ts";
import { startLongPoll } from "../../control-plane/long-poll.ts";
import { unconfirmed } from "../unconfirmed.ts";
import { EXPLAIN_TIMEOUT_MS } from "../settings.ts";

export interface HttpMixerOptions {
  /**
   * Mixers that share their stores; at least one. Calls rotate among them (round robin), and skip one that
   * has failed.
   */
  readonly urls: readonly string[];
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** The Authorization field of each call; absent for none. */
  readonly authorization?: (() => string) | undefined;
  /** Of https URLs; asked for each connection. */
  readonly tls?: (() => ClientTls) | undefined;
  readonly timeouts?: Partial<HttpMixerTimeouts>;
}

/** Timeouts, in milliseconds. */
export interface HttpMixerTimeouts {
  /** To open a connection; default 300. */
  readonly connectMs: number;
  /** For one check or allocation by one mixer; default 1000, or 450 when there is a second mixer to try. */
  readonly callMs: number;
  /** For one report; default 5000. */
  readonly reportMs: number;
  /** Maximum time for which the mixer may hold a poll for policies; default 25 000. */
  readonly pollMs: number;
}

export interface HttpMixerService extends MixerService {
  /** Ends the watches and aborts the calls under way. Idempotent. */
  close(): Promise<void>;
}

const CONNECTIONS = 64;
const REPLY_LIMIT_BYTES = 1 << 20;

/** Maximum size of a policy state: the documents of ten thousand policies. */
const STATE_LIMIT_BYTES = 16 << 20;
/** Time allowed for the reply to a held poll beyond `pollMs`. */
const POLL_GRACE_MS = 5_000;
/** Maximum number of unconfirmed reports whose server is remembered for the retry. */
const MAX_UNCONFIRMED = 1_000;
/** A mixer that failed is tried last for this time. */
const PASS_OVER_MS = 1_000;

interface Server {
  readonly calls: JsonClient;
  readonly polls: JsonClient;
  passOverUntilMs: number;
}

interface Call<T> {
  readonly path: string;
  readonly request: object;
  readonly timeoutMs: number;
  /**
   * The mixers at which an unconfirmed call may be repeated: at any mixer, only at the mixer that may have carried it out,
   * or nowhere.
   */
  readonly repeatable: "anywhere" | "there" | "never";
  /** Decodes the reply's body; throws when it is malformed. */
  readonly decode: (body: unknown) => T;
  /** Deduplication id, the same for each retry. */
  readonly id?: string | undefined;
}

/** The mixers of a mesh over HTTP, as one service. */
export function createHttpMixerService(options: HttpMixerOptions): HttpMixerService {
  return new HttpMixers(options);
}

class HttpMixers implements HttpMixerService {
  readonly #options: HttpMixerOptions;
  readonly #timeouts: HttpMixerTimeouts;
  readonly #servers: readonly Server[];
  readonly #watches = new Set<() => void>();
  /**
   * The server that may have carried out an unconfirmed call, by the call's id; the call is repeated there.
   */
  readonly #unconfirmed = new LRUCache<string, Server>({ max: MAX_UNCONFIRMED });
  #turn = 0;

  constructor(options: HttpMixerOptions) {
    const { urls, timeouts } = options;
    const callMs = urls.length > 1 ? 450 : 1_000;
    this.#options = options;
    this.#timeouts = { connectMs: 300, callMs, reportMs: 5_000, pollMs: 25_000, ...timeouts };
    const client = (url: string, connections: number, replyLimitBytes: number) =>
      new JsonClient({
        url,
        scheduler: options.scheduler,
        unavailable: "PURSER_MIXER_UNAVAILABLE",
        connectTimeoutMs: this.#timeouts.connectMs,
        connections,
        replyLimitBytes,
        authorization: options.authorization,
        tls: options.tls,
      });
    this.#servers = urls.map((url) => ({
      calls: client(url, CONNECTIONS, REPLY_LIMIT_BYTES),
      // A client of its own, so that a held poll never occupies a call's connection.
      polls: client(url, 1, STATE_LIMIT_BYTES),
      passOverUntilMs: 0,
    }));
  }

  /** Idempotent: the mixer charges once per deduplication id. */
  async check(request: CheckRequest, options?: CallOptions): Promise<CheckReply> {
    const { callMs } = this.#timeouts;
    const timeoutMs = request.explain === true ? Math.max(callMs, EXPLAIN_TIMEOUT_MS) : callMs;
    const decode = (body: unknown) => decodeCheckReply(body, request);
    return await this.#post(
      { path: CHECK_PATH, request, timeoutMs, repeatable: "anywhere", decode },
      options,
    );
  }

  async allocate(request: AllocateRequest, options?: CallOptions): Promise<AllocateReply> {
    const { callMs: timeoutMs } = this.#timeouts;
    const decode = (body: unknown) => decodeAllocateReply(body, request);
    return await this.#post(
      { path: QUOTA_PATH, request, timeoutMs, repeatable: "anywhere", decode },
      options,
    );
  }

  /** Idempotent at one mixer, which accepts each deduplication id once. */
  async report(request: ReportRequest, options?: CallOptions): Promise<void> {
    const { reportMs: timeoutMs } = this.#timeouts;
    const { deduplicationId: id } = request;
    const decode = () => undefined;
    const repeatable = id === undefined ? "never" : "there";
    const message = encodeReportRequest(request);
    await this.#post({ path: REPORT_PATH, request: message, timeoutMs, repeatable, decode, id }, options);
  }

  watch({ id }: ProxyIdentity, listener: (state: PolicyState) => void): () => void {
    const { pollMs: waitMs } = this.#timeouts;
    const stop = startLongPoll<PolicyState>({
      ...this.#options,
      servers: this.#servers.map(({ polls }) => polls),
      path: (known) =>
        encodePolicyStateQuery({
          node: id,
          waitMs,
          ...(known === undefined ? {} : { version: known.version, proxies: known.proxies }),
        }),
      decode: decodePolicyState,
      onNews: listener,
      waitMs,
      graceMs: POLL_GRACE_MS,
    });
    this.#watches.add(stop);
    return () => {
      this.#watches.delete(stop);
      stop();
    };
  }

  async close(): Promise<void> {
    for (const stop of this.#watches) stop();
    this.#watches.clear();
    await Promise.all(this.#servers.flatMap(({ calls, polls }) => [calls.close(), polls.close()]));
  }

  /** Tries one mixer after the other until one answers. */
  async #post<T>(call: Call<T>, options: CallOptions | undefined): Promise<T> {
    const { path, request, timeoutMs, decode } = call;
    const body = JSON.stringify(request);
    const signal = options?.signal instanceof AbortSignal ? options.signal : undefined;
    const wasUnconfirmed = call.id !== undefined && this.#unconfirmed.has(call.id);
    const servers = this.#serversFor(call);
    // The server may close an idle connection just as a call goes out: a single mixer is tried twice.
    const tries = servers.length === 1 ? [...servers, ...servers] : servers;
    let failure: CallFailure | undefined;
    for (const server of tries) {
      if (failure !== undefined && !shouldRetry(failure, call, servers.length, wasUnconfirmed)) break;
      const reply = await server.calls.call({ method: "POST", path, body, timeoutMs, signal });
      const outcome = reply instanceof CallFailure ? reply : decoded(reply.body, decode);
      if (!(outcome instanceof CallFailure)) {
        server.passOverUntilMs = 0;
        if (call.id !== undefined) this.#unconfirmed.delete(call.id);
        return outcome.value;
      }
      failure = outcome;
      if (call.id !== undefined && mayHaveArrived(failure)) this.#unconfirmed.set(call.id, server);
      if (failure.error.retryable) server.passOverUntilMs = this.#options.clock.monotonicMs() + PASS_OVER_MS;
      if (signal?.aborted === true) break;
    }
    throw finalError(failure, call);
  }

  /**
   * The mixer that may have carried out an unconfirmed call is tried first. Other mixers get the call only
   * when that one is gone.
   */
  #serversFor({ id }: Call<unknown>): readonly Server[] {
    const servers = this.#inTurn();
    const earlier = id === undefined ? undefined : this.#unconfirmed.get(id);
    return earlier === undefined ? servers : [earlier, ...servers.filter((server) => server !== earlier)];
  }

  /** Round robin: each call begins with the next mixer; recently failed mixers come last. */
  #inTurn(): readonly Server[] {
    const start = this.#turn++ % this.#servers.length;
    const rotated = [...this.#servers.slice(start), ...this.#servers.slice(0, start)];
    if (rotated.length === 1) return rotated;
    const nowMs = this.#options.clock.monotonicMs();
    const passedOver = (server: Server) => server.passOverUntilMs > nowMs;
    return [...rotated.filter((server) => !passedOver(server)), ...rotated.filter(passedOver)];
  }
}

function decoded<T>(body: unknown, decode: (body: unknown) => T): { readonly value: T } | CallFailure {
  try {
    return { value: decode(body) };
  } catch (error) {
    if (!isPurserError(error)) throw error;
    return new CallFailure("broken", error);
  }
}

/** Whether to try once more after a failure. */
function shouldRetry(
  { how, error }: CallFailure,
  { repeatable }: Call<unknown>,
  servers: number,
  wasUnconfirmed: boolean,
): boolean {
  // A mixer that refuses a call it understood: any other mixer would refuse it as well.
  if (!error.retryable) return false;
  if (wasUnconfirmed && servers > 1) return how === "unsent";
  if (servers === 1) return repeatable !== "never" && how === "broken";
  return repeatable === "anywhere" || how === "unsent" || how === "refused";
}

/** Whether the mixer may have carried out the call. */
function mayHaveArrived({ how }: CallFailure): boolean {
  return how === "broken" || how === "late";
}

/** The error to throw. An unconfirmed call is retryable at the same mixer only, or not at all. */
function finalError(failure: CallFailure | undefined, { repeatable }: Call<unknown>): PurserError {
  if (failure === undefined) return new PurserError("PURSER_MIXER_UNAVAILABLE", "no mixer is configured");
  const { error } = failure;
  if (repeatable === "anywhere" || !mayHaveArrived(failure)) return error;
  return repeatable === "there"
    ? unconfirmed(error)
    : new PurserError(error.code, error.message, { cause: error, retryable: false });
}
