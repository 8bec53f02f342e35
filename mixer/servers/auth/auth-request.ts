// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { FORWARDED_TOKEN_FIELD } from "../../../server/http/surface-access.ts";
import { isIP } from "node:net";
import type { AttributeBag } from "../../../core/attributes/bag.ts";
import { authorityText, parseAuthority } from "../../../kernel/canonical/authority.ts";
import { Malformed } from "../../../kernel/canonical/malformed.ts";
import { canonicalMethod } from "../../../kernel/canonical/method.ts";
import type { PathNormalization } from "../../../kernel/canonical/path.ts";
import { canonicalScheme } from "../../../kernel/canonical/scheme.ts";
import { parseRequestTarget } from "../../../kernel/canonical/target.ts";
import { requestGroup } from "../../../core/attributes/request-group.ts";
import { PurserError } from "../../../kernel/errors.ts";
import { canonicalAddress } from "../../../kernel/matching/ip-address.ts";

/** An external proxy's HTTP request for a decision about the original request of its client. */
export interface AuthRequest {
  readonly method: string;
  /** The mixer's own path and query, from `/auth` on. */
  readonly url: string;
  /** name, value, name, value …, as they arrived: repeated fields apart, values as Latin-1 text. */
  readonly rawHeaders: readonly string[];
  /**
   * Address of the connection's peer, the external proxy: the source address when no header names the
   * client's.
   */
  readonly peerIp: string;
  readonly timeMs: number;
  readonly pathNormalization: PathNormalization;
}

/**
 * The form in which the original request is described. `nginx`: X-Original-URI and X-Original-Method
 * (auth_request); `forwarded`: X-Forwarded-Uri and X-Forwarded-Method (Traefik, Caddy); `path`: the request
 * itself, after `/auth` (Envoy's HTTP ext_authz).
 */
export type AuthForm = "nginx" | "forwarded" | "path";

const AUTH_PATH = "/auth";

/** Headers between the external proxy and the mixer, which are not the client's. */
const NOT_FORWARDED: ReadonlySet<string> = new Set(
  (
    "connection keep-alive proxy-connection te trailer transfer-encoding upgrade content-length host " +
    `x-original-uri x-original-method x-forwarded-uri x-forwarded-method ${FORWARDED_TOKEN_FIELD}`
  ).split(" "),
);

/**
 * The attributes of the original request, as a Purser proxy would send them. The form is never guessed from
 * headers that a client could add: external proxies pass them on, and a client that could choose the path
 * that policies see would choose an allowed one.
 *
 * @throws {PurserError} PURSER_REQUEST_INVALID when the form is ambiguous, or a part of the original request
 * has no canonical form.
 */
export function readAuthRequest(request: AuthRequest): {
  readonly bag: AttributeBag;
  readonly form: AuthForm;
} {
  const headers = new AuthHeaders(request.rawHeaders);
  const form = formOf(headers, request.url);
  const original = originalOf(form, headers, request);
  const method = required("method", canonicalMethod(original.method));
  const target = required("URI", parseRequestTarget(original.target, request.pathNormalization));
  if (target.authority !== undefined) throw invalid("the original URI must begin with /");
  const authority = required("host", parseAuthority(original.host));
  const { host } = authority;
  const service = (form === "path" ? undefined : serviceIn(request.url)) ?? firstLabel(host);
  const sourceIp = lastOf(headers.one("x-forwarded-for")) ?? canonicalAddress(request.peerIp) ?? "";
  const id = headers.one("x-request-id");
  const scheme = canonicalScheme(headers.one("x-forwarded-proto") ?? "http");
  if (scheme === undefined) throw invalid("the header x-forwarded-proto names neither http nor https");
  const { path, query } = target;
  const time = new Date(request.timeMs).toISOString();
  return {
    form,
    bag: {
      source: { ip: sourceIp },
      origin: { ip: sourceIp },
      destination: { service: { name: service, host } },
      request: {
        ...requestGroup({
          method,
          scheme,
          authority,
          path,
          query,
          headers: ["host", authorityText(authority), ...headers.forwarded()],
        }),
        time,
        ...(id === undefined ? {} : { id }),
      },
      context: { protocol: "http", reporter: { kind: "inbound" }, time },
    },
  };
}

/** The headers of an auth request: the external proxy's own, and the client's. */
class AuthHeaders {
  readonly #flat: readonly string[];

  constructor(raw: readonly string[]) {
    this.#flat = raw.map((part, index) => (index % 2 === 0 ? part.toLowerCase() : part));
  }

  /** The header's value. Repeated fields are joined, so that a list's last entry is the external proxy's. */
  one(name: string): string | undefined {
    const values = this.#flat.filter((_, index) => index % 2 === 1 && this.#flat[index - 1] === name);
    return values.length === 0 ? undefined : values.join(", ");
  }

  /**
   * The value of a header that describes the original request; a repeated field is refused, since one of them
   * is the client's.
   */
  only(name: string): string | undefined {
    const values = this.#flat.filter((_, index) => index % 2 === 1 && this.#flat[index - 1] === name);
    if (values.length > 1)
      throw invalid(`the header ${name} occurs twice: configure the proxy to clear the client's`);
    return values[0];
  }

  forwarded(): readonly string[] {
    return this.#flat.filter((_, index) => !NOT_FORWARDED.has(this.#flat[index - (index % 2)] as string));
  }
}

function formOf(headers: AuthHeaders, url: string): AuthForm {
  const nginx = headers.only("x-original-uri") !== undefined;
  const forwarded = headers.only("x-forwarded-uri") !== undefined;
  if (url.split("?")[0] !== AUTH_PATH) {
    if (nginx || forwarded)
      throw invalid("X-Original-URI and X-Forwarded-Uri go with /auth, not with a path after it");
    return "path";
  }
  if (nginx && forwarded)
    throw invalid(
      "X-Original-URI and X-Forwarded-Uri are both set: configure the proxy to clear the client's",
    );
  if (!nginx && !forwarded)
    throw invalid("neither X-Original-URI nor X-Forwarded-Uri is set, which would name the original request");
  return nginx ? "nginx" : "forwarded";
}

function originalOf(
  form: AuthForm,
  headers: AuthHeaders,
  { method, url }: AuthRequest,
): { readonly method: string; readonly target: string; readonly host: string } {
  const host = headers.only("host") ?? "";
  switch (form) {
    case "nginx":
      return { method: told(headers, "x-original-method"), target: told(headers, "x-original-uri"), host };
    case "forwarded":
      return {
        method: told(headers, "x-forwarded-method"),
        target: told(headers, "x-forwarded-uri"),
        host: headers.only("x-forwarded-host") ?? host,
      };
    case "path":
      return { method, target: url.slice(AUTH_PATH.length), host };
  }
}

function told(headers: AuthHeaders, name: string): string {
  const value = headers.only(name);
  if (value === undefined) throw invalid(`the header ${name} is missing`);
  return value;
}

/**
 * The service from the query that the operator configured in the external proxy; in the form `path` the query
 * is the client's.
 */
function serviceIn(url: string): string | undefined {
  return new URLSearchParams(url.split("?")[1]).get("service") ?? undefined;
}

function required<T>(part: string, value: T | Malformed): T {
  if (value instanceof Malformed) throw invalid(`the original ${part} ${value.reason}`);
  return value;
}

function firstLabel(host: string): string {
  return isIP(host.replace(/^\[|\]$/g, "")) === 0 ? (host.split(".")[0] as string) : host;
}

/**
 * The last entry of X-Forwarded-For, which the external proxy has seen itself; earlier entries are the
 * client's claims.
 */
function lastOf(list: string | undefined): string | undefined {
  return list === undefined ? undefined : canonicalAddress(list.slice(list.lastIndexOf(",") + 1).trim());
}

function invalid(message: string): PurserError {
  return new PurserError("PURSER_REQUEST_INVALID", message);
}
