// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { PurserError } from "../../core/kernel/errors.ts";
import { normalizePath } from "../../core/traffic/request-path.ts";

/** A request that another gateway asks about, as it came in over HTTP. */
export interface AuthRequest {
  readonly method: string;
  /** The mixer's own path and query, from `/auth` on. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The gateway's address: the source's when the gateway tells no other. */
  readonly peerIp: string;
  readonly timeMs: number;
}

/**
 * How the original request is told. `nginx`: X-Original-URI and X-Original-Method (auth_request); `forwarded`:
 * X-Forwarded-Uri and X-Forwarded-Method (Traefik, Caddy); `path`: as it is, after `/auth` (Envoy's HTTP ext_authz).
 */
export type AuthForm = "nginx" | "forwarded" | "path";

const AUTH_PATH = "/auth";

/** Headers between the gateway and the mixer that are not the client's. */
const NOT_FORWARDED: ReadonlySet<string> = new Set(
  (
    "connection keep-alive proxy-connection te trailer transfer-encoding upgrade content-length host " +
    "x-original-uri x-original-method x-forwarded-uri x-forwarded-method"
  ).split(" "),
);

/**
 * The bag of the original request. Which form it has is never guessed from headers that a client could add: a gateway
 * passes those on, and a client that could choose the path that policies see would choose one that is allowed.
 *
 * @throws {PurserError} PURSER_REQUEST_INVALID when the form is not clear.
 */
export function readAuthRequest(request: AuthRequest): {
  readonly bag: AttributeBag;
  readonly form: AuthForm;
} {
  const { headers } = request;
  const form = formOf(headers, request.url);
  const { method, target, host } = originalOf(form, request);
  if (!/^\/[^#]*$/.test(target)) throw invalid("the original URI must begin with / and have no fragment");
  const mark = target.indexOf("?");
  // A policy must see the path that is meant, however it is written.
  const path = normalizePath(mark < 0 ? target : target.slice(0, mark));
  const query = mark < 0 ? "" : target.slice(mark);
  const hostname = host.replace(/:[0-9]+$/, "");
  const service = (form === "path" ? undefined : serviceIn(request.url)) ?? firstLabel(hostname);
  const sourceIp = lastOf(text(headers["x-forwarded-for"])) ?? request.peerIp;
  return {
    form,
    bag: {
      source: { ip: sourceIp },
      origin: { ip: sourceIp },
      destination: { service: { name: service, host: hostname } },
      request: {
        method,
        host,
        scheme: text(headers["x-forwarded-proto"]) ?? "http",
        path: path + query,
        url_path: path,
        query_params: firstValues(new URLSearchParams(query)),
        headers: clientHeaders(headers),
        time: new Date(request.timeMs).toISOString(),
        ...optional("id", text(headers["x-request-id"])),
        ...optional("useragent", headers["user-agent"]),
        ...optional("referer", headers.referer),
      },
      context: { protocol: "http", reporter: { kind: "inbound" } },
    },
  };
}

function formOf(headers: IncomingHttpHeaders, url: string): AuthForm {
  const nginx = headers["x-original-uri"] !== undefined;
  const forwarded = headers["x-forwarded-uri"] !== undefined;
  if (url.split("?")[0] !== AUTH_PATH) {
    if (nginx || forwarded)
      throw invalid("X-Original-URI and X-Forwarded-Uri go with /auth, not with a path after it");
    return "path";
  }
  if (nginx && forwarded)
    throw invalid("X-Original-URI and X-Forwarded-Uri are both there: clear the client's own");
  if (!nginx && !forwarded)
    throw invalid("neither X-Original-URI nor X-Forwarded-Uri says what is asked about");
  return nginx ? "nginx" : "forwarded";
}

function originalOf(form: AuthForm, { method, headers, url }: AuthRequest) {
  const host = (headers.host ?? "").toLowerCase();
  switch (form) {
    case "nginx":
      return {
        method: required(headers, "x-original-method"),
        target: required(headers, "x-original-uri"),
        host,
      };
    case "forwarded":
      return {
        method: required(headers, "x-forwarded-method"),
        target: required(headers, "x-forwarded-uri"),
        host: text(headers["x-forwarded-host"])?.toLowerCase() ?? host,
      };
    case "path":
      return { method, target: url.slice(AUTH_PATH.length), host };
  }
}

/** What the operator wrote into the gateway's configuration; in the form `path` the query is the client's. */
function serviceIn(url: string): string | undefined {
  return new URLSearchParams(url.split("?")[1]).get("service") ?? undefined;
}

function required(headers: IncomingHttpHeaders, name: string): string {
  const value = text(headers[name]);
  if (value === undefined) throw invalid(`the header ${name} is missing`);
  return value;
}

function firstLabel(host: string): string {
  return isIP(host.replace(/^\[|\]$/g, "")) === 0 ? (host.split(".")[0] as string) : host;
}

/** Of X-Forwarded-For, what the gateway itself has seen; everything before it is hearsay. */
function lastOf(list: string | undefined): string | undefined {
  const last = list?.split(",").at(-1)?.trim();
  return last === undefined || isIP(last) === 0 ? undefined : last;
}

function firstValues(parameters: URLSearchParams): Record<string, string> {
  const values = Object.create(null) as Record<string, string>;
  for (const [name, value] of parameters) values[name] ??= value;
  return values;
}

function clientHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(headers)) {
    const joined = text(value);
    if (joined !== undefined && !NOT_FORWARDED.has(name)) kept[name] = joined;
  }
  return kept;
}

function text(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" || value === undefined ? value : value.join(", ");
}

function optional(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

function invalid(message: string): PurserError {
  return new PurserError("PURSER_REQUEST_INVALID", message);
}
