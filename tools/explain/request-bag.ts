// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import { canonicalScheme } from "../../kernel/canonical/scheme.ts";
import { headerBytesOf } from "../../kernel/canonical/header-text.ts";
import { chain, type MaybePromise } from "../../kernel/maybe-promise.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { TrafficDocuments } from "../../core/snapshot/snapshot.ts";
import type { TrafficResources } from "../../core/traffic/resources/resource-set.ts";
import { translate } from "../../pilot/translate/translate.ts";
import type { LocalReply } from "../../proxy/exchange/local-reply.ts";
import { bagOfTrial, type TrialResult } from "../../proxy/pipeline/trial-request.ts";

/** A request as a person writes it; bytes are characters U+0000 to U+00FF from here on. */
export interface WrittenRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  readonly target: string;
  readonly rawHeaders: readonly string[];
}

/**
 * Reads `GET http://reviews/path?query` and headers as curl takes them: `name: value`, `name;` for an empty value, and nothing is
 * sent for `name:`. Nothing is normalized yet: that is the proxy's part.
 *
 * @throws {PurserError} PURSER_CLI_USAGE when one of them is not of its form.
 */
export function parseWrittenRequest(line: string, headers: readonly string[]): WrittenRequest {
  const [, method, scheme, authority, rest] =
    /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([Hh][Tt][Tt][Pp][Ss]?):\/\/([^/?#\\ ]+)([^ ]*)$/.exec(
      headerBytesOf(line.trim()),
    ) ?? [];
  if (method === undefined || scheme === undefined || authority === undefined || rest === undefined)
    throw new PurserError(
      "PURSER_CLI_USAGE",
      `--request ${JSON.stringify(line)} is not of the form 'GET http://reviews/path'`,
    );
  const written = headers.flatMap(parseHeader);
  // As with curl, "Host:" takes the field away.
  const hasHost = headers.some((header) => /^host[:;]/i.test(header));
  return {
    method,
    scheme: canonicalScheme(scheme) ?? "http",
    target: /^[/\\]/.test(rest) ? rest : `/${rest}`,
    rawHeaders: hasHost ? written : ["host", authority, ...written],
  };
}

function parseHeader(header: string): readonly string[] {
  const [, name, mark, value] =
    /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:(;)|:[ \t]*(.*?))[ \t]*$/s.exec(headerBytesOf(header)) ?? [];
  if (name === undefined)
    throw new PurserError(
      "PURSER_CLI_USAGE",
      `-H ${JSON.stringify(header)} is not of the form 'name: value', or 'name;' for an empty value`,
    );
  if (mark === ";") return [name, ""];
  return value === "" || value === undefined ? [] : [name, value];
}

const EDGE = { role: "edge", id: "explain", host: "127.0.0.1", port: 8080, trustedHops: 0 } as const;

/**
 * The bag that an edge proxy with these documents asks about, made by its own filters. Where the documents declare no
 * service, the destination is the service that the host names. The result is a promise only for a request with a token.
 *
 * @throws {PurserError} PURSER_CLI_USAGE when the edge would answer the request without asking the policies.
 */
export function bagOfRequest(
  request: WrittenRequest,
  documents: TrafficDocuments,
  nowMs: number,
): MaybePromise<AttributeBag> {
  const routed = documents.serviceEntries.length > 0;
  const resources = routed ? translate(documents, EDGE) : withoutServices(documents);
  const services = {
    clock: { nowMs: () => nowMs, monotonicMs: () => 0 },
    random: () => 0,
    newId: () => "explain",
  };
  return chain(bagOfTrial(resources, EDGE, request, services), (trial) => bagOf(trial, request, routed));
}

function bagOf(trial: TrialResult, request: WrittenRequest, routed: boolean): AttributeBag {
  if ("reply" in trial)
    throw new PurserError(
      "PURSER_CLI_USAGE",
      `an edge answers this request with ${trial.reply.status} and asks no policy: ${detailOf(trial.reply)}`,
    );
  const { bag } = trial;
  const group = bag["request"] as { readonly host?: string };
  return {
    ...bag,
    ...(routed ? {} : { destination: { service: serviceOf(group.host ?? "") } }),
    // An edge that ends TLS sees what the URL says.
    request: { ...group, scheme: request.scheme },
  };
}

function serviceOf(host: string): { readonly name: string; readonly host: string } {
  const name = host.includes("[") || /^[\d.]+$/.test(host) ? host : (host.split(".")[0] as string);
  return { name, host };
}

/** A listener that takes every host, and answers by itself: it makes bags without a destination. */
function withoutServices(documents: TrafficDocuments): TrafficResources {
  const { listeners, ...rest } = translate(documents, EDGE);
  const operations = { set: {}, add: {}, remove: [] };
  const action = { kind: "direct", status: 200, body: "", contentType: "text/plain" } as const;
  const route = { name: "any", matches: [], action, requestHeaders: operations, responseHeaders: operations };
  const table = { name: "any", virtualHosts: [{ name: "any", domains: ["*"], routes: [route] }] };
  return {
    ...rest,
    listeners: {
      version: "any",
      resources: listeners.resources.slice(0, 1).map((listener) => ({ ...listener, routeTable: table.name })),
    },
    routes: { version: "any", resources: [table] },
  };
}

function detailOf({ body, details }: LocalReply): string {
  if (body.kind !== "problem") return details;
  const { code, detail } = body.problem;
  return code === "PURSER_PROXY_TOKEN_KEYS"
    ? `${detail}. No keys are fetched here: write the issuer's keys into jwks, or give the attributes, request.auth among them, by --bag`
    : detail;
}
