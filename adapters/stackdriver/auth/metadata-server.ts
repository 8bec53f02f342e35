// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type CallContext,
  type Clock,
  type HttpClient,
  httpFailure,
  PurserError,
} from "../../../plugins/sdk/index.ts";
import { numberAt, textAt } from "../api/json.ts";
import type { AccessToken } from "./token-source.ts";

const TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token";

/**
 * A token of the machine's own service account, from the metadata server of Compute Engine, GKE or Cloud Run. It is asked
 * through `context.http`, because google-auth-library's client for it heeds no signal.
 *
 * @param endpoint Base URL without a slash at its end.
 */
export async function metadataToken(
  endpoint: string,
  ports: { readonly http: HttpClient; readonly clock: Clock },
  call: CallContext,
): Promise<AccessToken> {
  const headers = { "metadata-flavor": "Google" };
  const response = await ports.http.request({ url: `${endpoint}${TOKEN_PATH}`, headers }, call);
  const failure = httpFailure(response, ports.clock);
  if (failure !== undefined) {
    const message = `the metadata server gave no token: ${failure.message}`;
    throw new PurserError("PURSER_HANDLER_FAILED", message, {
      retryable: failure.retryable,
      details: failure.details,
    });
  }
  const answer = response.json();
  const token = textAt(answer, "access_token");
  const seconds = numberAt(answer, "expires_in");
  if (token === undefined || seconds === undefined || response.headers["metadata-flavor"] !== "Google") {
    // Another server answers at this address, as a captive portal does.
    throw new PurserError("PURSER_HANDLER_FAILED", `${endpoint} is not a metadata server of Google Cloud`, {
      retryable: false,
    });
  }
  return { token, lifetimeMs: seconds * 1000 };
}
