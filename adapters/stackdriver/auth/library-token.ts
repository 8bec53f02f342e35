// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type CallContext,
  type Clock,
  type HttpClient,
  isPurserError,
  messageOf,
  PurserError,
} from "../../../plugins/sdk/index.ts";
import { isRecord } from "../api/json.ts";
import type { AccessToken } from "./token-source.ts";

const SCOPES = ["monitoring.write", "logging.write", "trace.append"].map(
  (name) => `https://www.googleapis.com/auth/${name}`,
);

/** The token server that google-auth-library asks, whatever a key's `token_uri` says. */
const TOKEN_SERVER = "https://oauth2.googleapis.com/token";

/** Lifetime in milliseconds of a token that states none. */
const DEFAULT_LIFETIME_MS = 3_600_000;

const MAX_MESSAGE = 300;

export interface LibraryTokenOptions {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly project: string;
  /** Replaces TOKEN_SERVER. */
  readonly tokenEndpoint: string | undefined;
}

/**
 * A token for credentials in the JSON that Google issues: a service account's key, a user's, or an external account. All
 * requests go through `context.http`, once each: the host does the retries.
 *
 * @param credentials The text of the JSON.
 */
export async function libraryToken(
  credentials: string,
  options: LibraryTokenOptions,
  call: CallContext,
): Promise<AccessToken> {
  const parsed = parsedOf(credentials);
  try {
    const { GoogleAuth } = await import("google-auth-library");
    const auth = new GoogleAuth({
      credentials: parsed,
      scopes: SCOPES,
      // Without a project the library looks for one: in files, with gcloud, and on the network.
      projectId: options.project,
      clientOptions: {
        transporterOptions: {
          fetchImplementation: fetchThrough(options, call),
          retryConfig: { retry: 0, noResponseRetries: 0 },
        },
      },
    });
    const client = await auth.getClient();
    const { token } = await client.getAccessToken();
    if (typeof token !== "string" || token === "") throw new Error("the token server's answer has no token");
    const expiryMs = client.credentials.expiry_date;
    const lifetimeMs = typeof expiryMs === "number" ? expiryMs - Date.now() : DEFAULT_LIFETIME_MS;
    return { token, lifetimeMs };
  } catch (error) {
    throw tokenFailure(error);
  }
}

/** The fetch of the library's requests. */
function fetchThrough({ http, tokenEndpoint }: LibraryTokenOptions, call: CallContext): typeof fetch {
  return async (input, init) => {
    const asked = input instanceof Request ? input.url : String(input);
    const url = asked === TOKEN_SERVER && tokenEndpoint !== undefined ? tokenEndpoint : asked;
    const headers = Object.fromEntries(new Headers(init?.headers));
    const body = init?.body === undefined || init.body === null ? {} : { body: bodyOf(init.body) };
    const answer = await http.request({ url, method: init?.method ?? "GET", headers, ...body }, call);
    return new Response(answer.status === 204 ? null : Buffer.from(answer.body), {
      status: answer.status,
      headers: { "content-type": answer.headers["content-type"] ?? "application/json" },
    });
  };
}

function bodyOf(body: unknown): string | Uint8Array {
  if (typeof body === "string" || body instanceof Uint8Array) return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError("google-auth-library sent a body of an unknown kind");
}

function parsedOf(credentials: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(credentials);
  } catch {
    // The parser's message can quote the key.
    throw wrongCredentials("they are not JSON");
  }
  if (!isRecord(parsed)) throw wrongCredentials("they are not a JSON object");
  return parsed;
}

/** Retryable when the token server did not answer or is busy; permanent when it refused, or the credentials are no key. */
function tokenFailure(error: unknown): PurserError {
  const cause = error instanceof Error ? error.cause : undefined;
  if (isPurserError(cause)) return cause;
  if (isPurserError(error)) return error;
  const status = (error as { readonly response?: { readonly status?: unknown } } | undefined)?.response
    ?.status;
  if (typeof status === "number" && (status >= 500 || status === 429 || status === 408)) {
    const message = `the token server answered ${status}`;
    return new PurserError("PURSER_HANDLER_FAILED", message, { retryable: true, details: { status } });
  }
  return wrongCredentials(messageOf(error).slice(0, MAX_MESSAGE));
}

export function wrongCredentials(why: string): PurserError {
  return new PurserError("PURSER_HANDLER_FAILED", `the Google credentials cannot be used: ${why}`, {
    retryable: false,
  });
}
