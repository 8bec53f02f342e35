// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HealthProbe } from "../../../core/traffic/resources/health-check.ts";
import type { ClientSettings } from "../contract/client.ts";
import type { Transport } from "../contract/transport.ts";
import type { Probe } from "./probe.ts";
import { GrpcProbe } from "./probe-grpc.ts";
import { HttpProbe } from "./probe-http.ts";
import { TcpProbe } from "./probe-tcp.ts";

/** @param settings Those of the requests' connections to the endpoint. */
export function createProbe(probe: HealthProbe, settings: ClientSettings, transport: Transport): Probe {
  const own = { ...settings, maxConnections: 1, maxPendingRequests: 1 };
  switch (probe.kind) {
    case "http":
      return new HttpProbe(probe, transport.createClient(own));
    case "tcp":
      return new TcpProbe(settings);
    case "grpc":
      return new GrpcProbe(probe, () =>
        transport.createClient({ ...own, protocol: "http2", tls: undefined }),
      );
  }
}
