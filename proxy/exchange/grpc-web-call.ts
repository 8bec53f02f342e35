// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "../transport/contract/header-list.ts";

/** `binary`: the bytes of gRPC. `text`: these bytes as base64, for browsers that cannot read a body in parts as bytes. */
export type GrpcWebForm = "binary" | "text";

/** The forms in which a call of gRPC-Web writes its messages. */
export interface GrpcWebCall {
  readonly request: GrpcWebForm;
  readonly response: GrpcWebForm;
}

/** The parts of a request that the translation reads and changes. */
interface TranslatedRequest {
  readonly method: string;
  readonly headers: HeaderList;
  readonly upgrade: string | undefined;
  contentLength: number | undefined;
}

/** The content types of gRPC-Web, with the format of the messages: `application/grpc-web-text+proto`. */
const GRPC_WEB_TYPE = /^application\/grpc-web(?<text>-text)?(?<format>\+[a-z0-9.-]{1,64})?[ \t]*(?:;|$)/i;
/** The content types of gRPC in the same way. */
const GRPC_TYPE = /^application\/grpc(?<format>\+[a-z0-9.-]{1,64})?[ \t]*(?:;|$)/i;

/** The format of messages without a name (gRPC over HTTP/2, "Content-Type"). */
const DEFAULT_FORMAT = "+proto";

/**
 * Turns the head of a gRPC-Web request into the head of a gRPC request: its content type, and `te`, which gRPC demands. A
 * body that has to be decoded loses its declared length.
 *
 * @returns undefined when the request is not gRPC-Web; the request is then unchanged.
 */
export function beginGrpcWebCall(request: TranslatedRequest): GrpcWebCall | undefined {
  const { method, headers, upgrade } = request;
  if (method !== "POST" || upgrade !== undefined) return undefined;
  const groups = GRPC_WEB_TYPE.exec(headers.get("content-type") ?? "")?.groups;
  if (groups === undefined) return undefined;
  const form = groups["text"] === undefined ? "binary" : "text";
  headers.set("content-type", `application/grpc${groups["format"] ?? DEFAULT_FORMAT}`);
  headers.setPlain("te", "trailers");
  if (form === "text") {
    headers.remove("content-length");
    request.contentLength = undefined;
  }
  return { request: form, response: acceptedForm(headers.get("accept")) ?? form };
}

/**
 * The content type of gRPC-Web for a response of gRPC.
 *
 * @param contentType The response's `content-type`.
 * @returns undefined when the response is not gRPC.
 */
export function grpcWebContentType(
  contentType: string | undefined,
  { response }: GrpcWebCall,
): string | undefined {
  const groups = GRPC_TYPE.exec(contentType ?? "")?.groups;
  if (groups === undefined) return undefined;
  return `application/grpc-web${response === "text" ? "-text" : ""}${groups["format"] ?? DEFAULT_FORMAT}`;
}

/** The form that `accept` asks for; undefined when it names neither, so that the response has the request's form. */
function acceptedForm(accept: string | undefined): GrpcWebForm | undefined {
  const types = accept?.toLowerCase() ?? "";
  if (types.includes("application/grpc-web-text")) return "text";
  return types.includes("application/grpc-web") ? "binary" : undefined;
}
