// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Agent, request } from "undici";
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
 * URL that the document names. The caller's deadline is the only one.
 */
export function createJwksClient(): JwksClient {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 1_000, pipelining: 1 });
  return {
    async fetch(url, signal) {
      const response = await request(url, {
        dispatcher: agent,
        headers: { accept: "application/jwk-set+json, application/json", "accept-encoding": "identity" },
        signal: signal as AbortSignal,
      });
      const { statusCode, headers } = response;
      if (statusCode !== 200) {
        // A destroyed body tells of it by an error that nobody else takes.
        response.body.on("error", () => undefined).destroy();
        throw new Error(
          `answered ${statusCode}${statusCode >= 300 && statusCode < 400 ? ", and redirects are not followed" : ""}`,
        );
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        // Leaving the loop destroys the connection.
        if (bytes > MAX_JWKS_BYTES) throw new Error(`answered with more than ${MAX_JWKS_BYTES} bytes`);
        chunks.push(chunk);
      }
      const cacheControl = headers["cache-control"];
      return {
        text: Buffer.concat(chunks).toString("utf8"),
        cacheControl: Array.isArray(cacheControl) ? cacheControl.join(", ") : cacheControl,
      };
    },
    close: () => agent.destroy(),
  };
}
