// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Decision } from "../../core/check/decision.ts";
import { OK } from "../../kernel/status.ts";

/** A decision that allows the request and is not cacheable, with `fields`. */
export function decision(fields: Partial<Decision> = {}): Decision {
  return {
    status: OK,
    requestHeaders: [],
    responseHeaders: [],
    validDurationMs: 0,
    validUseCount: 0,
    referenced: [],
    shadowDenials: [],
    audits: [],
    charges: [],
    ...fields,
  };
}
