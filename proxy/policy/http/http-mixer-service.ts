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
import { REPORT_PATH } from "../../../api/json/report.ts";
import { isPurserError, PurserError } from "../../../kernel/errors.ts";
import type { Clock, Logger, Random, Scheduler } from "../../../kernel/ports.ts";
import { CallFailure, JsonClient } from "../../control-plane/json-client.ts";
import { startLongPoll } from "../../control-plane/long-poll.ts";
import { doubtful } from "../doubtful.ts";
import { EXPLAIN_TIMEOUT_MS } from "../settings.ts";

export interface HttpMixerOptions {
  /** Mixers that count in the same stores; at least one. Calls take turns among them, and pass over one that fails. */
  readonly urls: readonly string[];
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly timeouts?: Partial<HttpMixerTimeouts>;
}

/** All in milliseconds. */
export interface HttpMixerTimeouts {
  /** To open a connection; default 300. */
  readonly connectMs: number;
  /** For one check or allocation by one mixer; default 1000, or 450 where another one can be asked next. */
  readonly callMs: number;
  /** For one report; default 5000. */
  readonly reportMs: number;
  /** How long the mixer may hold a poll for policies; default 25 000. */
  readonly pollMs: number;
}

export interface HttpMixerService extends MixerService {
  /** Ends the watches and cuts the calls under way. Safe to call twice. */
  close(): Promise<void>;
}

const CONNECTIONS = 64;
const REPLY_LIMIT_BYTES = 1 << 20;

/** The documents of ten thousand policies. */
const STATE_LIMIT_BYTES = 16 << 20;
/** A held poll may be answered so late. */
const POLL_GRACE_MS = 5_000;
/** Reports whose fate is unknown and that are expected to be sent again. */
const MAX_DOUBTS = 1_000;
/** A mixer that failed is asked last for so long. */
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
  /** Who may be sent again what may have been carried out: any mixer, the mixer that may have done so, or none. */
  readonly repeatable: "anywhere" | "there" | "never";
  /** Throws when the reply is not what it should be. */
  readonly decode: (body: unknown) => T;
  /** Names the call among its repetitions. */
  readonly id?: string | undefined;
}

/** The mixers of a mesh over HTTP, as one. */
export function createHttpMixerService(options: HttpMixerOptions): HttpMixerService {
  return new HttpMixers(options);
}

class HttpMixers implements HttpMixerService {
  readonly #options: HttpMixerOptions;
  readonly #timeouts: HttpMixerTimeouts;
  readonly #servers: readonly Server[];
  readonly #watches = new Set<() => void>();
  /** Who may have carried out a call that is to be repeated there alone, by the call's id. */
  readonly #doubts = new LRUCache<string, Server>({ max: MAX_DOUBTS });
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
      });
    this.#servers = urls.map((url) => ({
      calls: client(url, CONNECTIONS, REPLY_LIMIT_BYTES),
      // Apart, so that a held poll never takes a call's connection.
      polls: client(url, 1, STATE_LIMIT_BYTES),
      passOverUntilMs: 0,
    }));
  }

  /** Safe to send twice: one deduplication id, one charge. */
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

  /** Safe to send twice to the same mixer, which takes an id once. */
  async report(request: ReportRequest, options?: CallOptions): Promise<void> {
    const { reportMs: timeoutMs } = this.#timeouts;
    const { deduplicationId: id } = request;
    const decode = () => undefined;
    const repeatable = id === undefined ? "never" : "there";
    await this.#post({ path: REPORT_PATH, request, timeoutMs, repeatable, decode, id }, options);
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

  /** Asks one mixer after the other until one answers. */
  async #post<T>(call: Call<T>, options: CallOptions | undefined): Promise<T> {
    const { path, request, timeoutMs, decode } = call;
    const body = JSON.stringify(request);
    const signal = options?.signal instanceof AbortSignal ? options.signal : undefined;
    const inDoubt = call.id !== undefined && this.#doubts.has(call.id);
    const servers = this.#serversFor(call);
    // An idle connection may be closed just as a call goes out: where there is nobody else, the same one is asked again.
    const tries = servers.length === 1 ? [...servers, ...servers] : servers;
    let failure: CallFailure | undefined;
    for (const server of tries) {
      if (failure !== undefined && !goesOn(failure, call, servers.length, inDoubt)) break;
      const reply = await server.calls.call({ method: "POST", path, body, timeoutMs, signal });
      const outcome = reply instanceof CallFailure ? reply : decoded(reply.body, decode);
      if (!(outcome instanceof CallFailure)) {
        server.passOverUntilMs = 0;
        if (call.id !== undefined) this.#doubts.delete(call.id);
        return outcome.value;
      }
      failure = outcome;
      if (call.id !== undefined && isInDoubt(failure)) this.#doubts.set(call.id, server);
      if (failure.error.retryable) server.passOverUntilMs = this.#options.clock.monotonicMs() + PASS_OVER_MS;
      if (signal?.aborted === true) break;
    }
    throw finalError(failure, call);
  }

  /** The mixer that may have carried out the call comes first. Only when it is gone does another one get the call. */
  #serversFor({ id }: Call<unknown>): readonly Server[] {
    const servers = this.#inTurn();
    const doubted = id === undefined ? undefined : this.#doubts.get(id);
    return doubted === undefined ? servers : [doubted, ...servers.filter((server) => server !== doubted)];
  }

  /** Each call begins with the next one; those that have just failed come last. */
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

/** Whether to ask once more after a failure. */
function goesOn(
  { how, error }: CallFailure,
  { repeatable }: Call<unknown>,
  servers: number,
  inDoubt: boolean,
): boolean {
  // A mixer that understood and refused: another one would say the same.
  if (!error.retryable) return false;
  if (inDoubt && servers > 1) return how === "unsent";
  if (servers === 1) return repeatable !== "never" && how === "broken";
  return repeatable === "anywhere" || how === "unsent" || how === "refused";
}

/** Whether the mixer may have carried out the call. */
function isInDoubt({ how }: CallFailure): boolean {
  return how === "broken" || how === "late";
}

/** A call that may have been carried out and must not be twice is not to be tried again by anybody. */
function finalError(failure: CallFailure | undefined, { repeatable }: Call<unknown>): PurserError {
  if (failure === undefined) return new PurserError("PURSER_MIXER_UNAVAILABLE", "no mixer is configured");
  const { error } = failure;
  if (repeatable === "anywhere" || !isInDoubt(failure)) return error;
  return repeatable === "there"
    ? doubtful(error)
    : new PurserError(error.code, error.message, { cause: error, retryable: false });
}
