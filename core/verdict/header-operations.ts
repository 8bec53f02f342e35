// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isReservedHeader, isSingleHeader } from "../attributes/header-fields.ts";
import type { Decision } from "../check/decision.ts";
import type { HeaderField } from "./reply.ts";

/** The headers after a policy's operations; headers that frame the message are not changed. */
export function applyHeaderOperations(
  headers: readonly HeaderField[],
  operations: Decision["responseHeaders"],
): readonly HeaderField[] {
  return operations.reduce((before, { operation, name, value }) => {
    if (isReservedHeader(name)) return before;
    const others = before.filter(([other]) => other !== name);
    if (operation === "remove" || value === undefined) return others;
    const kept = operation === "append" && !isSingleHeader(name) ? before : others;
    return [...kept, [name, value] as const];
  }, headers);
}
