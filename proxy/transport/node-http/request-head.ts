// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { IncomingMessage } from "node:http";

import type { RequestHead } from "../contract/head.ts";
import { HeaderList } from "../contract/header-list.ts";
import { hasBody } from "./upgradable-request.ts";

/** @param upgrade The protocol that the request may upgrade to. */
export function requestHeadOf(request: IncomingMessage, upgrade?: string): RequestHead {
  const contentLength = request.headers["content-length"];
  return {
    method: request.method ?? "",
    target: request.url ?? "",
    headers: HeaderList.fromRaw(request.rawHeaders),
    httpVersion: request.httpVersion,
    hasBody: hasBody(request),
    contentLength: contentLength === undefined ? undefined : Number(contentLength),
    upgrade,
  };
}

/** The trailers of a chunked body; undefined when there are none. */
export function trailersOf({ rawTrailers }: IncomingMessage): HeaderList | undefined {
  return rawTrailers.length === 0 ? undefined : HeaderList.fromRaw(rawTrailers);
}
