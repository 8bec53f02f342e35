// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { Choice, Closed } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import { MapOf } from "./map-of.ts";
import { SelectedLabels } from "./traffic-fields.ts";

const MTLS_MODES = ["UNSET", "DISABLE", "PERMISSIVE", "STRICT"] as const;

export type MtlsMode = (typeof MTLS_MODES)[number];

function Mtls(description: string) {
  return Closed(
    {
      mode: Type.Optional(
        Choice(
          MTLS_MODES,
          "STRICT: callers must show a certificate of the mesh, and plain text is refused. PERMISSIVE: both are accepted. " +
            "DISABLE: plain text. UNSET (default): the mode of the wider document; PERMISSIVE where none says another.",
        ),
      ),
    },
    { description },
  );
}

const PeerAuthenticationSpec = Closed({
  selector: Type.Optional(
    Closed(
      { matchLabels: SelectedLabels() },
      {
        description:
          "The workloads of the namespace that the document is for, of every namespace where it is in the root namespace; " +
          "the whole namespace, or the mesh, when absent.",
      },
    ),
  ),
  mtls: Type.Optional(Mtls("Mutual TLS of calls to the workloads.")),
  portLevelMtls: Type.Optional(
    MapOf(Mtls("Mutual TLS of calls to one port."), {
      minProperties: 1,
      description:
        "Mutual TLS by port: the port on which the workload's sidecar listens. Only with a selector; UNSET is the mode of `mtls`.",
    }),
  ),
});

export type PeerAuthenticationSpec = Static<typeof PeerAuthenticationSpec>;

export const PEER_AUTHENTICATION = {
  kind: "PeerAuthentication",
  apiVersions: ["security.istio.io/v1", "security.istio.io/v1beta1"],
  description: "Whether calls to workloads must be mutual TLS.",
  spec: PeerAuthenticationSpec,
  check: checkPeerAuthentication,
} as const satisfies KindDefinition;

const PORT = /^[1-9][0-9]{0,4}$/;

function checkPeerAuthentication({ selector, portLevelMtls }: PeerAuthenticationSpec): readonly SpecFault[] {
  if (portLevelMtls === undefined) return [];
  const faults: SpecFault[] = Object.keys(portLevelMtls)
    .filter((port) => !PORT.test(port) || Number(port) > 65_535)
    .map((port) => ({
      path: ["portLevelMtls", port],
      message: `${JSON.stringify(port)} is not a port number from 1 to 65535`,
    }));
  // Istio refuses it too: ports belong to workloads.
  if (selector === undefined)
    faults.push({
      path: ["portLevelMtls"],
      message: "portLevelMtls needs a selector: ports belong to workloads, not to a namespace or the mesh",
    });
  return faults;
}
