// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag, AttributeValue } from "../attributes/bag.ts";
import { groupIn } from "../attributes/group.ts";
import { STATUS_CODES, type StatusCode } from "../../kernel/status.ts";
import type { ReportedDecision } from "../templates/instances.ts";

/** The decision about a finished request, from the attributes that the proxy adds to the complete bag. */
export function decisionIn(bag: AttributeBag): ReportedDecision {
  const check = groupIn(bag["check"]);
  const { policy, error_message: message, cache_hit: cacheHit } = check;
  const quota = groupIn(bag["quota"]);
  const { cache_hit: quotaCacheHit, state: quotaState } = quota;
  const beyond = textsIn(quota["beyond"]);
  const httpStatus = groupIn(bag["response"])["code"];
  const code = codeOf(check["error_code"], typeof policy === "string");
  return {
    checked: typeof bag["check"] === "object",
    allowed: code === "OK",
    code,
    ...(typeof policy === "string" ? { policy } : {}),
    ...(typeof message === "string" ? { message } : {}),
    shadowDenials: textsIn(check["shadow_denials"]),
    audits: textsIn(check["audits"]),
    ...(typeof cacheHit === "boolean" ? { cacheHit } : {}),
    ...(typeof quotaCacheHit === "boolean" ? { quotaCacheHit } : {}),
    ...(typeof quotaState === "string" ? { quotaState } : {}),
    ...(beyond.length > 0 ? { beyond } : {}),
    ...(typeof httpStatus === "number" ? { httpStatus } : {}),
  };
}

/** A refusal with an unknown code is still a refusal. */
function codeOf(number: AttributeValue | undefined, refused: boolean): StatusCode {
  const code = typeof number === "number" ? STATUS_CODES[number] : undefined;
  return code ?? (refused || number !== undefined ? "UNKNOWN" : "OK");
}

function textsIn(value: AttributeValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
