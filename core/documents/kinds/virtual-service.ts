// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { faultsOfExportTo } from "./export-to.ts";
import type { KindDefinition } from "./kind.ts";
import { virtualServiceFaults } from "./virtual-service-faults.ts";
import { VirtualServiceSpec } from "./virtual-service-schema.ts";

export const VIRTUAL_SERVICE = {
  kind: "VirtualService",
  apiVersions: ["networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"],
  description: "Routing of requests by host.",
  spec: VirtualServiceSpec,
  check: (spec: VirtualServiceSpec) => [...virtualServiceFaults(spec), ...faultsOfExportTo(spec.exportTo)],
} as const satisfies KindDefinition;
