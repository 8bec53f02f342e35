// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { GrpcStatus } from "../../core/verdict/grpc-status.ts";
import { grpcMessageText, grpcStatusBytes } from "../../core/verdict/grpc-status-details.ts";
import { STATUS_CODES, type StatusCode } from "../../kernel/status.ts";
import type { LocalReply } from "./local-reply.ts";

/** gRPC and gRPC-Web, with the name of the messages' format: `application/grpc+proto`, `application/grpc-web-text`. */
const GRPC_MEDIA_TYPE = /^application\/grpc(?:-web(?:-text)?)?(?:\+[a-z0-9.-]{1,64})?(?=[ \t]*(?:;|$))/;

/**
 * The content type of a reply to a gRPC request, which is the request's without parameters.
 *
 * @param contentType The request's `content-type`.
 * @returns undefined when the request is not gRPC.
 */
export function grpcContentType(contentType: string | undefined): string | undefined {
  return contentType === undefined ? undefined : GRPC_MEDIA_TYPE.exec(contentType.toLowerCase())?.[0];
}

/** gRPC's own translation of HTTP statuses ("HTTP to gRPC Status Code Mapping"), which is Envoy's for local replies, too. */
const CODES: Readonly<Record<number, StatusCode>> = {
  400: "INTERNAL",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "UNIMPLEMENTED",
  429: "UNAVAILABLE",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  // The deadline is the client's own, or the route's: UNAVAILABLE, Envoy's code, would ask the client to try again.
  504: "DEADLINE_EXCEEDED",
};

/**
 * An error of the proxy for a gRPC client. Other replies are returned as they are.
 *
 * @param contentType The request's `content-type`.
 */
export function asGrpcError(reply: LocalReply, contentType: string | undefined): LocalReply {
  if (reply.body.kind !== "problem") return reply;
  const replied = grpcContentType(contentType);
  if (replied === undefined) return reply;
  const { detail, code: reason } = reply.body.problem;
  const code = reply.grpcStatus ?? CODES[reply.status] ?? "UNKNOWN";
  const details =
    reason === undefined
      ? []
      : [{ type: "google.rpc.ErrorInfo" as const, reason, domain: "purser.dev" as const, metadata: {} }];
  return grpcReply(reply, { code, message: detail, details }, replied);
}

/**
 * A refusal for a gRPC client: HTTP status 200 without a body, and the gRPC status in the headers
 * ("Trailers-Only" in gRPC over HTTP/2). Clients take any other HTTP status for UNKNOWN or UNAVAILABLE.
 */
export function grpcReply(reply: LocalReply, status: GrpcStatus, contentType: string): LocalReply {
  const { flag, details, explanation } = reply;
  const bytes = grpcStatusBytes(status);
  return {
    status: 200,
    flag,
    details,
    headers: [
      ...reply.headers,
      ["grpc-status", String(STATUS_CODES.indexOf(status.code))],
      ["grpc-message", grpcMessageText(status.message)],
      // gRPC's own libraries write base64 without padding, and read both forms.
      ["grpc-status-details-bin", Buffer.from(bytes).toString("base64").replace(/=+$/, "")],
    ],
    body: { kind: "text", contentType, text: "" },
    explanation,
  };
}
