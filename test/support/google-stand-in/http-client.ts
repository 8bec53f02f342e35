// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type HttpClient, type HttpResponse, PurserError } from "../../../plugins/sdk/index.ts";
import type { GoogleStandIn } from "./stand-in.ts";

/** An HTTP client whose only server is the stand-in: without sockets, so that everything settles in virtual time. */
export function standInClient(standIn: GoogleStandIn): HttpClient & { close(): Promise<void> } {
  const request: HttpClient["request"] = async (asked, { signal }) => {
    const body = typeof asked.body === "string" ? asked.body : Buffer.from(asked.body ?? "").toString("utf8");
    const method = asked.method ?? (asked.body === undefined ? "GET" : "POST");
    if (signal.aborted) throw new PurserError("PURSER_HANDLER_TIMEOUT", "the call is over");
    const answer = standIn.handle({
      method,
      path: new URL(asked.url).pathname,
      headers: asked.headers ?? {},
      body,
    });
    if (answer.kind === "lost")
      throw new PurserError("PURSER_HANDLER_FAILED", "the connection was reset", { retryable: true });
    if (answer.kind === "answer") return responseOf(answer.status, answer.body, answer.headers ?? {});
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () =>
        reject(new PurserError("PURSER_HANDLER_TIMEOUT", "no answer in time")),
      );
    });
  };
  return {
    request,
    send: () => Promise.reject(new Error("send is not used")),
    close: () => Promise.resolve(),
  };
}

function responseOf(status: number, body: unknown, headers: Readonly<Record<string, string>>): HttpResponse {
  const text = JSON.stringify(body);
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: Buffer.from(text),
    text: () => text,
    json: () => JSON.parse(text) as unknown,
  };
}
