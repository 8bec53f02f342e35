// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { OK, type Status, type StatusCode, statusOfHttp } from "../../kernel/status.ts";
import { formatDocumentRef } from "../check/document-ref.ts";
import type { Verdict } from "./verdict.ts";

/** A google.rpc.Status as plain data. */
export interface GrpcStatus {
  readonly code: StatusCode;
  readonly message: string;
  readonly details: readonly GrpcDetail[];
}

/** Purser's messages of google/rpc/error_details.proto, each under its full name. */
export type GrpcDetail =
  | {
      readonly type: "google.rpc.ErrorInfo";
      /** DENIED_BY_POLICY, QUOTA_EXCEEDED, or the code of an error. */
      readonly reason: string;
      readonly domain: "purser.dev";
      /** `policy`: the document that decided, as Kind/name. */
      readonly metadata: Readonly<Record<string, string>>;
    }
  | { readonly type: "google.rpc.RetryInfo"; readonly retryDelayMs: number }
  | {
      readonly type: "google.rpc.QuotaFailure";
      /** `subject`: the QuotaPolicy, as Kind/name. */
      readonly violations: readonly { readonly subject: string; readonly description: string }[];
    };

/** Retry delay for a quota whose store gives none, in milliseconds. */
const DEFAULT_RETRY_DELAY_MS = 1_000;

/** The status for a gRPC client; OK when the request is forwarded. */
export function grpcStatusOf({ outcome, directResponse }: Verdict): GrpcStatus {
  switch (outcome.kind) {
    case "allow": {
      if (directResponse === undefined) return grpcStatus(OK, []);
      const { httpStatus } = directResponse;
      const message = `answered by a policy with HTTP status ${httpStatus}`;
      return { code: statusOfHttp(httpStatus), message, details: [] };
    }
    case "deny":
      return grpcStatus(outcome.status, [errorInfo("DENIED_BY_POLICY", outcome)]);
    case "limit": {
      const { status, decidedBy, retryAfterMs } = outcome;
      const violation = { subject: formatDocumentRef(decidedBy), description: status.message };
      return grpcStatus(status, [
        errorInfo("QUOTA_EXCEEDED", outcome),
        { type: "google.rpc.RetryInfo", retryDelayMs: retryAfterMs || DEFAULT_RETRY_DELAY_MS },
        { type: "google.rpc.QuotaFailure", violations: [violation] },
      ]);
    }
    case "error":
      return grpcStatus(outcome.status, [errorInfo(outcome.code, outcome)]);
  }
}

function grpcStatus({ code, message }: Status, details: readonly GrpcDetail[]): GrpcStatus {
  return { code, message, details };
}

function errorInfo(
  reason: string,
  { decidedBy }: Exclude<Verdict["outcome"], { readonly kind: "allow" }>,
): GrpcDetail {
  const metadata = decidedBy === undefined ? {} : { policy: formatDocumentRef(decidedBy) };
  return { type: "google.rpc.ErrorInfo", reason, domain: "purser.dev", metadata };
}
