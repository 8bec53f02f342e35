// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { AbortSignalLike } from "../../../kernel/deadline.ts";

/** The answer of an issuer's server. */
export interface FetchedJwks {
  readonly text: string;
  /** The field `cache-control`; undefined when there is none. */
  readonly cacheControl: string | undefined;
}

/**
 * Fetches a key set. Rejects with an Error whose message ends a sentence about the URL. `signal` aborts when the caller's
 * deadline passes.
 */
export type FetchJwks = (url: string, signal: AbortSignalLike) => Promise<FetchedJwks>;

/** Longest key set, in bytes; the largest public ones have 30 KiB. */
export const MAX_JWKS_BYTES = 524_288;

export interface JwksClient {
  readonly fetch: FetchJwks;
  close(): Promise<void>;
}

/**
 * A client over HTTP/1.1, with TLS verified by Node.js' authorities and NODE_EXTRA_CA_CERTS. Redirects are refused: keys come from the
 * URL that the document names. The caller's deadline is the only one. Each fetch has a connection of its own, since fetches are rare.
 */
export function createJwksClient(): JwksClient {
  const open = new Set<ClientRequest>();
  let isClosed = false;
  return {
    async fetch(url, signal) {
      if (isClosed) throw new Error("is not asked: the client is closed");
      const request = (new URL(url).protocol === "https:" ? requestHttps : requestHttp)(url, {
        agent: false,
        headers: { accept: "application/jwk-set+json, application/json", "accept-encoding": "identity" },
        signal: signal as AbortSignal,
      });
      open.add(request);
      try {
        return await readAnswer(await responseTo(request));
      } finally {
        open.delete(request);
        request.destroy();
      }
    },
    close() {
      isClosed = true;
      for (const request of open) request.destroy(new Error("is not asked: the client is closed"));
      return Promise.resolve();
    },
  };
}

/** Sends the request. The listeners stay, since an error event without one would end the process. */
function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on("response", resolve).on("error", reject);
    // Node.js closes a request that is answered with 101 without an error.
    request.on("close", () => reject(new Error("closed the connection without an answer"))).end();
  });
}

async function readAnswer(response: IncomingMessage): Promise<FetchedJwks> {
  const { statusCode = 0, headers } = response;
  if (statusCode !== 200)
    throw new Error(
      `answered ${statusCode}${statusCode >= 300 && statusCode < 400 ? ", and redirects are not followed" : ""}`,
    );
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_JWKS_BYTES) throw new Error(`answered with more than ${MAX_JWKS_BYTES} bytes`);
    chunks.push(chunk);
  }
  return { text: Buffer.concat(chunks).toString("utf8"), cacheControl: headers["cache-control"] };
}
