// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AttributeBag, type AttributePath, valueAt } from "../attributes/bag.ts";
import { STATUS_CODES, type StatusCode } from "../../kernel/status.ts";
import type { ReportedDecision } from "../templates/instances.ts";

/** The decision about a finished request, from the attributes that the proxy adds to the complete bag. */
export function decisionIn(bag: AttributeBag): ReportedDecision {
  const policy = textAt(bag, ["check", "policy"]);
  const message = textAt(bag, ["check", "error_message"]);
  const cacheHit = valueAt(bag, ["check", "cache_hit"]);
  const quotaCacheHit = valueAt(bag, ["quota", "cache_hit"]);
  const httpStatus = valueAt(bag, ["response", "code"]);
  const code = codeAt(bag, policy !== undefined);
  return {
    checked: typeof valueAt(bag, ["check"]) === "object",
    allowed: code === "OK",
    code,
    ...(policy === undefined ? {} : { policy }),
    ...(message === undefined ? {} : { message }),
    shadowDenials: textsAt(bag, ["check", "shadow_denials"]),
    audits: textsAt(bag, ["check", "audits"]),
    ...(typeof cacheHit === "boolean" ? { cacheHit } : {}),
    ...(typeof quotaCacheHit === "boolean" ? { quotaCacheHit } : {}),
    ...(typeof httpStatus === "number" ? { httpStatus } : {}),
  };
}

/** A refusal with an unknown code is still a refusal. */
function codeAt(bag: AttributeBag, refused: boolean): StatusCode {
  const number = valueAt(bag, ["check", "error_code"]);
  const code = typeof number === "number" ? STATUS_CODES[number] : undefined;
  return code ?? (refused || number !== undefined ? "UNKNOWN" : "OK");
}

function textAt(bag: AttributeBag, path: AttributePath): string | undefined {
  const value = valueAt(bag, path);
  return typeof value === "string" ? value : undefined;
}

function textsAt(bag: AttributeBag, path: AttributePath): readonly string[] {
  const value = valueAt(bag, path);
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
