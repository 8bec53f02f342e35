// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { Choice, Closed, REFUSED_KEYWORD } from "./fields.ts";

/** The label of an edge that serves the Gateways of one name alone, which Istio gives to the Pods of a Gateway. */
export const GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name";

const GROUPS = ["gateway.networking.k8s.io", "networking.istio.io"] as const;

/** Gateways to whose edges a policy is attached, in place of a selector. */
export function TargetRefs() {
  return Type.Optional(
    Type.Array(
      Closed(
        {
          group: Choice(GROUPS, "The Gateway's group."),
          kind: Choice(["Gateway"], "Gateway; other kinds are refused."),
          name: Type.String({ minLength: 1, maxLength: 253, description: "The Gateway's name." }),
        },
        {
          [REFUSED_KEYWORD]: {
            namespace:
              "Istio attaches policies to Gateways of the policy's own namespace; leave the field out",
            sectionName: "a policy is for all listeners of a Gateway; leave the field out",
          },
        },
      ),
      {
        minItems: 1,
        maxItems: 16,
        description: `The edges that serve these Gateways, in place of a selector: those without the label \`${GATEWAY_NAME_LABEL}\`, and those that have it with one of these names.`,
      },
    ),
  );
}

/** A document is attached by labels or by Gateways. */
export function faultsOfTargets(spec: {
  readonly selector?: unknown;
  readonly targetRefs?: unknown;
}): readonly SpecFault[] {
  if (spec.selector === undefined || spec.targetRefs === undefined) return [];
  return [{ path: ["targetRefs"], message: "A policy has either selector or targetRefs" }];
}
