// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ERROR_CATALOG, type ErrorCode } from "../../../kernel/error-catalog.ts";
import { ErrorBodySchema, httpStatusOfError } from "../error-body.ts";
import { Components } from "./components.ts";
import type { Answer, Operation, QueryParameter } from "./operation.ts";

/** The process that a surface belongs to. */
export type SurfaceName = "mixer" | "pilot" | "proxy";

const TITLES: Readonly<Record<SurfaceName, string>> = {
  mixer: "Purser's mixer",
  pilot: "Purser's pilot",
  proxy: "The admin surface of a Purser proxy",
};

/** Codes of refusals that any request of a control surface can get. */
const ANY: readonly ErrorCode[] = ["PURSER_HOST_FORBIDDEN", "PURSER_ORIGIN_FORBIDDEN", "PURSER_INTERNAL"];

/** Codes of refusals of requests with a body. */
const WITH_BODY: readonly ErrorCode[] = [
  "PURSER_REQUEST_INVALID",
  "PURSER_REQUEST_TOO_LARGE",
  "PURSER_CONTENT_TYPE",
  "PURSER_OVERLOADED",
];

/** Methods that an operation of all methods is described with: those of OpenAPI except TRACE. */
const ALL_METHODS = ["get", "put", "post", "delete", "options", "head", "patch"] as const;

/** Conditions under which a surface may be closed: none, a token, a certificate, or both. */
const SECURITY = [{}, { token: [] }, { certificate: [] }, { token: [], certificate: [] }];

type Json = Readonly<Record<string, unknown>>;

/**
 * The OpenAPI 3.1 document of a control surface (spec.openapis.org/oas/v3.1.1), made of its operations.
 *
 * @param errorFormat Form of refusals: an ErrorBody, or text for people.
 */
export function openApiDocument(
  surface: SurfaceName,
  operations: readonly Operation[],
  errorFormat: "json" | "text",
): Json {
  const components = new Components();
  const paths: Record<string, Record<string, unknown>> = {};
  const keyOf = ({ path, method }: Operation): string => `${path} ${method}`;
  const sorted = [...operations].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  for (const operation of sorted) {
    const path = operation.path.replace("{*", "{");
    const methods = operation.method === "all" ? ALL_METHODS : [operation.method];
    for (const method of methods) {
      const item = (paths[path] ??= {});
      item[method] = operationObject(operation, method, components, errorFormat);
    }
  }
  return {
    openapi: "3.1.1",
    info: {
      title: TITLES[surface],
      description:
        "docs/reference/api.md describes the surface. The document is generated from the schemas by which the server checks messages.",
      version: "v1",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: SECURITY,
    paths,
    components: {
      ...(components.schemas.size === 0
        ? {}
        : { schemas: Object.fromEntries([...components.schemas].sort(([a], [b]) => (a < b ? -1 : 1))) }),
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "A token of --control-token-file." },
        certificate: { type: "mutualTLS", description: "A client certificate of --control-tls-ca." },
      },
    },
  };
}

function operationObject(
  operation: Operation,
  method: string,
  components: Components,
  errorFormat: "json" | "text",
): Json {
  const { id, path, summary, query = {}, request, access = "closed" } = operation;
  const [, rest] = /\{\*(\w+)\}$/.exec(path) ?? [];
  const parameters = [
    ...(rest === undefined ? [] : [{ name: rest, in: "path", required: true, schema: { type: "string" } }]),
    ...Object.entries(query).map(([name, parameter]) => parameterObject(name, parameter, components)),
  ];
  return {
    operationId: operation.method === "all" ? `${id}_${method}` : id,
    summary,
    ...(access === "probe" ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(request === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": components.media(request) } } }),
    responses: responses(operation, components, errorFormat),
  };
}

function parameterObject(
  name: string,
  { schema, description, required = false, json = false }: QueryParameter,
  components: Components,
): Json {
  const value = components.inline(schema);
  const form = json ? { content: { "application/json": { schema: value } } } : { schema: value };
  return { name, in: "query", description, ...(required ? { required } : {}), ...form };
}

function responses(operation: Operation, components: Components, errorFormat: "json" | "text"): Json {
  const described: Record<string, unknown> = {};
  for (const [status, answer] of Object.entries(operation.answers))
    described[status] = answerObject(answer, components);
  for (const [status, codes] of refusalsOf(operation))
    described[status] ??= refusalObject(codes, components, errorFormat);
  // node:http writes these two itself, without a body.
  described["408"] ??= { description: "The request did not arrive within 10 s." };
  described["431"] ??= { description: "The header fields are longer than 16 KiB." };
  return described;
}

/** The codes of an operation's refusals by status, in the order of the statuses. */
export function refusalsOf(operation: Operation): ReadonlyMap<number, readonly ErrorCode[]> {
  const { errors = [], request, query, access = "closed", method } = operation;
  const byStatus = new Map<number, Set<ErrorCode>>();
  const add = (status: number, code: ErrorCode): void => {
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  };
  // A forwarded request has the URL and the content type of another one, and is not refused for them.
  const isForwarded = method === "all";
  if (!isForwarded) add(414, "PURSER_REQUEST_TOO_LARGE");
  if (access !== "probe") add(401, "PURSER_UNAUTHENTICATED");
  const common = request === undefined ? ANY : [...ANY, ...WITH_BODY];
  const withQuery: readonly ErrorCode[] = query === undefined ? [] : ["PURSER_REQUEST_INVALID"];
  const withForm: readonly ErrorCode[] = method === "get" || isForwarded ? [] : ["PURSER_CONTENT_TYPE"];
  for (const code of [...common, ...withQuery, ...withForm, ...errors]) add(httpStatusOfError(code), code);
  return new Map([...byStatus].sort(([a], [b]) => a - b).map(([status, codes]) => [status, [...codes]]));
}

function refusalObject(
  codes: readonly ErrorCode[],
  components: Components,
  errorFormat: "json" | "text",
): Json {
  const summaries = codes.map((code) => `${code}: ${ERROR_CATALOG[code].summary}`);
  const isRetryable = codes.some((code) => ERROR_CATALOG[code].retryable === true);
  const headers = {
    ...(isRetryable
      ? { "Retry-After": { description: "Seconds until the next try.", schema: { type: "integer" } } }
      : {}),
    ...(codes.includes("PURSER_UNAUTHENTICATED")
      ? { "WWW-Authenticate": { description: "The challenge (RFC 6750).", schema: { type: "string" } } }
      : {}),
  };
  const content =
    errorFormat === "text"
      ? { "text/plain": { schema: { type: "string" } } }
      : { "application/json": { schema: refusalSchema(codes, components) } };
  return {
    description: summaries.join(" "),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    content,
  };
}

/** An ErrorBody with one of these codes. */
function refusalSchema(codes: readonly ErrorCode[], components: Components): Json {
  const { schema } = components.media({ name: "ErrorBody", schema: ErrorBodySchema });
  const withCode = { properties: { error: { properties: { code: { enum: codes } } } } };
  return { allOf: [schema, withCode] };
}

function answerObject({ description, content }: Answer, components: Components): Json {
  if (content === undefined) return { description };
  const media = Object.entries(content).map(([type, schema]) => [type, components.media(schema)] as const);
  return { description, content: Object.fromEntries(media) };
}
