// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type CheckAnswer,
  durationMs,
  headerNameFault,
  type HeaderOperation,
  headerValueFault,
  parseDurationMs,
  PurserError,
  type StatusCode,
} from "../../plugins/sdk/index.ts";
import type { Config } from "./config.ts";

/** Longest message to the client, in characters; the rest is cut off. */
const MAX_MESSAGE = 1_000;

/** Statuses for gRPC clients of results with an http_status; others are the configured status. */
const STATUS_OF_HTTP: Readonly<Record<number, StatusCode>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "ABORTED",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  501: "UNIMPLEMENTED",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

/** The fields of an object result that have a meaning here. Other fields are ignored: a package has other rules too. */
interface DecisionObject {
  readonly allow: boolean;
  readonly message: string | undefined;
  readonly httpStatus: number | undefined;
  readonly headers: readonly HeaderOperation[];
  readonly validDurationMs: number | undefined;
}

/** Makes the answer to an instance of a result of OPA. */
export class Answers {
  readonly #config: Config;
  readonly #validity: { readonly validDurationMs: number; readonly validUseCount: number };

  constructor(config: Config) {
    this.#config = config;
    this.#validity = {
      validDurationMs: durationMs(config.validDuration),
      validUseCount: config.validUseCount,
    };
  }

  /**
   * @param result The `result` of OPA's response; undefined when OPA has none.
   * @throws PurserError PURSER_HANDLER_FAILED for a result of another form, and for no result with `undefined: error`. Not
   *   retryable: the policy gives the same result again.
   */
  of(result: unknown): CheckAnswer {
    if (result === true || result === false) return this.#answer(decisionOf({ allow: result }));
    if (result === undefined) return this.#undefined();
    if (typeof result !== "object" || result === null || Array.isArray(result))
      throw malformed(`the result is ${describe(result)}, not a boolean or an object`);
    const { allow } = result as { readonly allow?: unknown };
    return allow === undefined ? this.#undefined() : this.#answer(decisionOf(result));
  }

  #undefined(): CheckAnswer {
    if (this.#config.undefined === "error")
      throw malformed(`data.${this.#config.path.replaceAll("/", ".")} is undefined`);
    return this.#answer(decisionOf({ allow: false }));
  }

  #answer({ allow, message, httpStatus, headers, validDurationMs }: DecisionObject): CheckAnswer {
    const validity = validDurationMs === undefined ? this.#validity : { ...this.#validity, validDurationMs };
    if (allow) {
      const status = { code: "OK", message: "" } as const;
      return { status, ...validity, ...(headers.length === 0 ? {} : { headers: { request: headers } }) };
    }
    const { status } = this.#config;
    const text = message ?? status.message;
    if (httpStatus === undefined) {
      const changes = headers.length === 0 ? {} : { headers: { response: headers } };
      return { status: { code: status.code, message: text }, ...validity, ...changes };
    }
    return {
      status: { code: STATUS_OF_HTTP[httpStatus] ?? status.code, message: text },
      ...validity,
      directResponse: {
        httpStatus,
        headers: Object.fromEntries(headers.map(({ name, value = "" }) => [name, value])),
        body: text,
      },
    };
  }
}

function decisionOf(result: object): DecisionObject {
  const { allow, reason, message, http_status, headers, valid_duration } = result as Readonly<
    Record<string, unknown>
  >;
  if (typeof allow !== "boolean") throw malformed(`allow is ${describe(allow)}, not a boolean`);
  return {
    allow,
    message: messageIn("reason", reason) ?? messageIn("message", message),
    httpStatus: allow ? undefined : httpStatusIn(http_status),
    headers: headersIn(headers),
    validDurationMs: validDurationIn(valid_duration),
  };
}

function messageIn(field: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string") throw malformed(`${field} is ${describe(value)}, not text`);
  return value.length > MAX_MESSAGE
    ? `${value.slice(0, MAX_MESSAGE).replace(/[\ud800-\udbff]$/, "")}…`
    : value;
}

function httpStatusIn(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= 300 && value <= 599) return value;
  const given = typeof value === "number" ? String(value) : describe(value);
  throw malformed(`http_status is ${given}, not a whole number from 300 to 599`);
}

function headersIn(value: unknown): readonly HeaderOperation[] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed(`headers is ${describe(value)}, not an object`);
  return Object.entries(value).map(([name, text]) => {
    if (typeof text !== "string") throw malformed(`the header ${name} is ${describe(text)}, not text`);
    const fault = headerNameFault(name) ?? headerValueFault(name, text);
    if (fault !== undefined) throw malformed(fault);
    return { operation: "set", name: name.toLowerCase(), value: text };
  });
}

function validDurationIn(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const parsed = typeof value === "string" ? parseDurationMs(value) : undefined;
  if (parsed === undefined) throw malformed("valid_duration is not a duration such as 30s");
  return parsed;
}

function malformed(problem: string): PurserError {
  return new PurserError("PURSER_HANDLER_FAILED", `OPA's decision cannot be used: ${problem}`, {
    retryable: false,
  });
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "absent";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? "text" : `a ${typeof value}`;
}
