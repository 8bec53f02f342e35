// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../plugins/sdk/index.ts";
import type { Resource } from "./otlp.ts";

/** The instrumentation scope of all telemetry of the adapter. */
export const SCOPE = { name: "purser" } as const;

/**
 * The resource that telemetry comes from. Its instance id is new for each handler: two handlers of one id would write one
 * cumulative series.
 */
export function resourceOf(given: Readonly<Record<string, string>>, random: Random): Resource {
  const attributes = { "service.name": "purser", "service.instance.id": uuidOf(random), ...given };
  // The serializers read the attributes alone.
  return { attributes } as unknown as Resource;
}

/** A UUID of version 4 (RFC 9562, section 5.4). */
function uuidOf(random: Random): string {
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("");
  const variant = "89ab"[Math.floor(random() * 4)] as string;
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${variant}${hex(3)}-${hex(12)}`;
}
