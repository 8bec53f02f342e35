// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { FilterSpec, HeaderModifierSpec } from "../../../core/documents/kinds/gateway-api/filters.ts";
import type { HeaderOperationsSpec } from "../../../core/documents/kinds/traffic-fields.ts";

export type BackendFilter = Pick<FilterSpec, "requestHeaderModifier" | "responseHeaderModifier">;

/** The header changes of one destination; undefined without any. */
export function backendHeadersOf(filters: readonly BackendFilter[]): HeaderOperationsSpec | undefined {
  const request = changesOf(filters.map((filter) => filter.requestHeaderModifier));
  const response = changesOf(filters.map((filter) => filter.responseHeaderModifier));
  if (request === undefined && response === undefined) return undefined;
  return { ...(request === undefined ? {} : { request }), ...(response === undefined ? {} : { response }) };
}

function changesOf(
  modifiers: readonly (HeaderModifierSpec | undefined)[],
): HeaderOperationsSpec["request"] | undefined {
  const modifier = modifiers.find((each) => each !== undefined);
  if (modifier === undefined) return undefined;
  const record = (list: HeaderModifierSpec["set"] = []) =>
    Object.fromEntries(list.map(({ name, value }) => [name, value]));
  return { set: record(modifier.set), add: record(modifier.add), remove: modifier.remove ?? [] };
}
