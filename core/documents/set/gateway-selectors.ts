// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { suggest } from "../../../kernel/suggest.ts";
import { documentsOf, faultAt, type ParsedDocument } from "../document.ts";
import { GATEWAY, type GatewaySpec } from "../kinds/gateway.ts";

/** The label of edges by which Istio's own gateways are called. */
const ISTIO_LABEL = "istio";
const KNOWN_GATEWAYS = ["ingressgateway", "egressgateway", "eastwestgateway"];

/** Warns of selectors that look misspelt: no edge would serve the Gateway. */
export function faultsOfGatewaySelectors(documents: readonly ParsedDocument[]): readonly Diagnostic[] {
  return documentsOf(documents, GATEWAY).flatMap((document) => {
    const { selector = {} } = document.spec as GatewaySpec;
    const value = selector[ISTIO_LABEL];
    if (value === undefined || KNOWN_GATEWAYS.includes(value)) return [];
    const suggestion = suggest(value, KNOWN_GATEWAYS);
    if (suggestion === undefined) return [];
    const message = `An edge has the label ${ISTIO_LABEL}: ${value} only by --label`;
    const fault = faultAt(document, "PURSER_REF_UNRESOLVED", ["spec", "selector", ISTIO_LABEL], message, {
      suggestion,
    });
    return [{ ...fault, severity: "warning" as const }];
  });
}
