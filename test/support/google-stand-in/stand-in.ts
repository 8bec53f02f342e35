// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { assertUnicode, isFields } from "./fields.ts";
import { Logging } from "./logging.ts";
import { Monitoring } from "./monitoring.ts";
import { invalid, RpcError } from "./status.ts";
import { Tokens } from "./tokens.ts";
import { Trace } from "./trace.ts";

export interface StandInRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  /** By lower-case name. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** An answer; or no answer at all; or the end of the connection, after the request was processed. */
export type StandInAnswer =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly body: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly kind: "hang" }
  | { readonly kind: "lost" };

/**
 * Ways in which the services may fail: 429 with a RetryInfo, 503, 403, no answer, an answer that is lost after the request was
 * processed, and the refusal of every second item.
 */
export const FAULTS = ["429", "503", "403", "hang", "lost", "partial"] as const;
export type Fault = (typeof FAULTS)[number];

export interface StandInOptions {
  /** Default: the wall clock. */
  readonly nowMs?: () => number;
  /** Refuse calls without a token that this stand-in issued; default false. */
  readonly requireToken?: boolean;
  /** PEM; see Tokens. */
  readonly publicKey?: string;
  /** Called with each call of a service and its outcome. */
  readonly onCall?: (call: StandInCall) => void;
}

export interface StandInCall {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** HTTP status, or the fault. */
  readonly outcome: string;
  /** The refusal's message. */
  readonly error?: string;
}

/** Number of refusals that are kept. */
const KEPT_REFUSALS = 1000;
const RETRY_DELAY = "7s";

/**
 * Google's Cloud Monitoring, Logging and Trace as far as clients write to them, with the documented limits, and the servers that give
 * tokens. Knows no sockets: `startGoogleStandIn` serves it, and tests may call it.
 */
export class GoogleStandIn {
  readonly monitoring: Monitoring;
  readonly logging: Logging;
  readonly trace = new Trace();
  readonly tokens: Tokens;
  /** Messages of refusals, oldest first. */
  readonly refusals: string[] = [];
  readonly #options: StandInOptions;
  #faults: Fault[] = [];
  #calls = 0;

  constructor(options: StandInOptions = {}) {
    const nowMs = options.nowMs ?? Date.now;
    this.#options = options;
    this.monitoring = new Monitoring(nowMs);
    this.logging = new Logging(nowMs);
    this.tokens = new Tokens(nowMs, options.publicKey);
  }

  /** Number of calls of the services. */
  get calls(): number {
    return this.#calls;
  }

  /** The next calls of the services fail in these ways, in order. */
  failNext(...faults: readonly Fault[]): void {
    this.#faults.push(...faults);
  }

  /** Forgets the faults that have not happened yet. */
  recover(): void {
    this.#faults = [];
  }

  handle(request: StandInRequest): StandInAnswer {
    const own = this.#handleOwn(request);
    if (own !== undefined) return own;
    this.#calls++;
    const fault = this.#faults.shift();
    const answer = this.#answerOf(request, fault);
    const { method, path, body } = request;
    const outcome = answer.kind === "answer" ? String(answer.status) : answer.kind;
    const error = answer.kind === "answer" && answer.status !== 200 ? { error: messageIn(answer.body) } : {};
    this.#options.onCall?.({ method, path, body, outcome, ...error });
    return answer;
  }

  #answerOf(request: StandInRequest, fault: Fault | undefined): StandInAnswer {
    switch (fault) {
      case "hang":
        return { kind: "hang" };
      case "lost":
        this.#serve(request, false);
        return { kind: "lost" };
      case "429":
        return this.#refuse(
          new RpcError("RESOURCE_EXHAUSTED", "Quota exceeded.", [
            { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: RETRY_DELAY },
          ]),
        );
      case "503":
        return this.#refuse(new RpcError("UNAVAILABLE", "The service is currently unavailable."));
      case "403":
        return this.#refuse(new RpcError("PERMISSION_DENIED", "The caller does not have permission."));
      case "partial":
      case undefined:
        return this.#serve(request, fault === "partial");
    }
  }

  #serve(request: StandInRequest, partial: boolean): StandInAnswer {
    try {
      if (this.#options.requireToken === true)
        this.tokens.assertAuthorized(String(request.headers?.["authorization"]));
      return { kind: "answer", status: 200, body: this.#route(request, partial) };
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return this.#refuse(error);
    }
  }

  #refuse(error: RpcError): StandInAnswer {
    this.refusals.push(error.message);
    if (this.refusals.length > KEPT_REFUSALS) this.refusals.shift();
    return { kind: "answer", status: error.httpStatus, body: error.toJSON() };
  }

  #route({ method, path, body }: StandInRequest, partial: boolean): unknown {
    const [, project = "", rest = ""] = /^\/v[23]\/projects\/([^/]+)\/(.+)$/.exec(path) ?? [];
    if (method === "GET" && rest === "metricDescriptors")
      return { metricDescriptors: this.monitoring.descriptors };
    if (method === "GET" && rest.startsWith("metricDescriptors/"))
      return this.monitoring.descriptor(decodeURIComponent(rest.slice("metricDescriptors/".length)));
    if (method === "POST") {
      const parsed = parsedOf(body);
      if (rest === "metricDescriptors") return this.monitoring.createDescriptor(parsed);
      if (rest === "timeSeries")
        return this.monitoring.createTimeSeries(parsed, everySecond(parsed, "timeSeries", partial));
      if (rest === "traces:batchWrite") return this.trace.batchWrite(project, parsed);
      if (path === "/v2/entries:write")
        return this.logging.write(parsed, Buffer.byteLength(body), everySecond(parsed, "entries", partial));
    }
    throw new RpcError("NOT_FOUND", `${method} ${path} is not served.`);
  }

  /** The token servers, and what the stand-in tells of itself. */
  #handleOwn({ method, path, headers, body }: StandInRequest): StandInAnswer | undefined {
    if (method === "POST" && path === "/token") return { kind: "answer", ...this.tokens.exchange(body) };
    if (path === "/computeMetadata/v1/instance/service-accounts/default/token") {
      // Keeps pages in a browser on the machine from reading tokens.
      if (headers?.["metadata-flavor"] !== "Google")
        return { kind: "answer", status: 403, body: "Forbidden" };
      return {
        kind: "answer",
        status: 200,
        body: this.tokens.issue(),
        headers: { "metadata-flavor": "Google" },
      };
    }
    if (path === "/stand-in/faults" && method === "POST") {
      const { fault, count } = faultIn(body);
      this.failNext(...Array.from({ length: count }, () => fault));
      return { kind: "answer", status: 200, body: {} };
    }
    const shown: Readonly<Record<string, () => unknown>> = {
      "/stand-in/descriptors": () => this.monitoring.descriptors,
      "/stand-in/time-series": () => this.monitoring.series,
      "/stand-in/entries": () => this.logging.entries,
      "/stand-in/spans": () => this.trace.spans,
      "/stand-in/refusals": () => this.refusals,
    };
    const show = method === "GET" && Object.hasOwn(shown, path) ? shown[path] : undefined;
    return show === undefined ? undefined : { kind: "answer", status: 200, body: show() };
  }
}

function parsedOf(body: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw invalid("Invalid JSON payload received.");
  }
  assertUnicode(parsed);
  return parsed;
}

/** Positions of every second item, the second first. */
function everySecond(body: unknown, list: string, partial: boolean): ReadonlySet<number> {
  const items = isFields(body) ? body[list] : undefined;
  if (!partial || !Array.isArray(items)) return new Set();
  return new Set([...items.keys()].filter((index) => index % 2 === 1));
}

function faultIn(body: string): { readonly fault: Fault; readonly count: number } {
  const parsed: unknown = JSON.parse(body);
  const { fault, count = 1 } = isFields(parsed) ? parsed : {};
  const known = FAULTS.find((one) => one === fault);
  if (known === undefined) throw new Error(`fault must be one of ${FAULTS.join(", ")}`);
  return { fault: known, count: Number(count) };
}

function messageIn(body: unknown): string {
  const error = isFields(body) ? body["error"] : undefined;
  return isFields(error) ? String(error["message"]) : "";
}
