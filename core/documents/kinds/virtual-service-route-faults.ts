// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { suggest } from "../../../kernel/suggest.ts";
import { type CallerMatch, sourceFieldsOf } from "./virtual-service-match.ts";
import { MESH_GATEWAY } from "./virtual-service-schema.ts";

// Checks that routes of requests and of connections share.

type Path = readonly (string | number)[];

/** Of several destinations, one must get something. */
export function weightFaults(
  { route }: { readonly route?: readonly { readonly weight?: number }[] },
  path: Path,
): readonly SpecFault[] {
  if (route === undefined || route.length < 2 || route.some(({ weight = 0 }) => weight > 0)) return [];
  return [
    { path: [...path, "route"], message: "Of several destinations at least one needs a weight above 0" },
  ];
}

/** A match may name gateways of its VirtualService alone. */
export function gatewayFaults(
  match: CallerMatch,
  known: readonly string[],
  path: Path,
): readonly SpecFault[] {
  return (match.gateways ?? []).flatMap((name, index) => {
    if (known.includes(name)) return [];
    const suggestion = suggest(name, known);
    return [
      {
        path: [...path, "gateways", index],
        message: `${JSON.stringify(name)} is not among this VirtualService's gateways (${known.join(", ")})`,
        ...(suggestion === undefined ? {} : { suggestion }),
      },
    ];
  });
}

/**
 * Istio ignores conditions on the caller in a match with `gateways`, and its documentation says that they need the gateway
 * `mesh`.
 *
 * @param gateways Of the VirtualService; undefined for `mesh` alone, and for a delegate, which has none.
 */
export function sourceFaults(
  match: CallerMatch,
  gateways: readonly string[] | undefined,
  path: Path,
): readonly SpecFault[] {
  let message: (field: string) => string;
  if (match.gateways !== undefined)
    message = (field) =>
      `A match has either gateways or ${field}, since Istio ignores ${field} beside gateways`;
  else if (gateways?.includes(MESH_GATEWAY) === false)
    message = (field) =>
      `${field} is about sidecars: list the gateway ${MESH_GATEWAY} in this VirtualService's gateways, or leave it out`;
  else return [];
  return sourceFieldsOf(match).map((field) => ({ path: [...path, field], message: message(field) }));
}
