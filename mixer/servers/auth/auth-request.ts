// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

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

/** A request that another gateway asks about, as it came in over HTTP. */
export interface AuthRequest {
  readonly method: string;
  /** The mixer's own path and query, from `/auth` on. */
  readonly url: string;
  /** name, value, name, value …, as they came: repeated ones apart, values a character a byte. */
  readonly rawHeaders: readonly string[];
  /** The gateway's address: the source's when the gateway tells no other. */
  readonly peerIp: string;
  readonly timeMs: number;
  readonly pathNormalization: PathNormalization;
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
 * The bag of the original request, in the same form as a proxy's. How it is told is never guessed from headers that a client
 * could add: a gateway passes those on, and a client that could choose the path that policies see would choose one that is
 * allowed.
 *
 * @throws {PurserError} PURSER_REQUEST_INVALID when how it is told is not clear, or a part of it has no canonical form.
 */
export function readAuthRequest(request: AuthRequest): {
  readonly bag: AttributeBag;
  readonly form: AuthForm;
} {
  const headers = new GatewayHeaders(request.rawHeaders);
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

/** The headers of a gateway's question: the gateway's own, and those of the client. */
class GatewayHeaders {
  readonly #flat: readonly string[];

  constructor(raw: readonly string[]) {
    this.#flat = raw.map((part, index) => (index % 2 === 0 ? part.toLowerCase() : part));
  }

  /** Values of one name are joined: what a list's last entry is, the gateway said last. */
  one(name: string): string | undefined {
    const values = this.#flat.filter((_, index) => index % 2 === 1 && this.#flat[index - 1] === name);
    return values.length === 0 ? undefined : values.join(", ");
  }

  /** A header that says what is asked about; where it comes twice, one is the client's. */
  only(name: string): string | undefined {
    const values = this.#flat.filter((_, index) => index % 2 === 1 && this.#flat[index - 1] === name);
    if (values.length > 1) throw invalid(`the header ${name} is there twice: clear the client's own`);
    return values[0];
  }

  forwarded(): readonly string[] {
    return this.#flat.filter((_, index) => !NOT_FORWARDED.has(this.#flat[index - (index % 2)] as string));
  }
}

function formOf(headers: GatewayHeaders, url: string): AuthForm {
  const nginx = headers.only("x-original-uri") !== undefined;
  const forwarded = headers.only("x-forwarded-uri") !== undefined;
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

function originalOf(
  form: AuthForm,
  headers: GatewayHeaders,
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

function told(headers: GatewayHeaders, name: string): string {
  const value = headers.only(name);
  if (value === undefined) throw invalid(`the header ${name} is missing`);
  return value;
}

/** What the operator wrote into the gateway's configuration; in the form `path` the query is the client's. */
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

/** Of X-Forwarded-For, what the gateway itself has seen; everything before it is hearsay. */
function lastOf(list: string | undefined): string | undefined {
  return list === undefined ? undefined : canonicalAddress(list.slice(list.lastIndexOf(",") + 1).trim());
}

function invalid(message: string): PurserError {
  return new PurserError("PURSER_REQUEST_INVALID", message);
}
