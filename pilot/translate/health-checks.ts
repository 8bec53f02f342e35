// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HealthCheckSpec } from "../../core/documents/kinds/health-check.ts";
import { isForAll } from "../../core/documents/kinds/export-to.ts";
import type { TrafficDocument } from "../../core/snapshot/snapshot.ts";
import type { HealthCheck, HealthProbe } from "../../core/traffic/resources/health-check.ts";
import { parseDurationMs } from "../../kernel/duration.ts";
import type { Registry, Service } from "../registry/registry-static.ts";

/** Envoy's default of no_traffic_interval. */
const DEFAULT_NO_TRAFFIC_INTERVAL_MS = 60_000;

/** Envoy's default of expected_statuses: 200 alone. */
const DEFAULT_STATUSES = [{ start: 200, end: 201 }];

/** The HealthCheck documents, by the clusters that they are for. */
export class HealthChecks {
  /** The most exact first: those of a subset, then those of a port, then those for the proxy's namespace. */
  readonly #checks: readonly { readonly host: string; readonly spec: HealthCheckSpec }[];

  constructor(documents: readonly TrafficDocument<HealthCheckSpec>[], registry: Registry) {
    this.#checks = documents
      .map(({ metadata, spec }) => ({ host: registry.canonical(spec.host, metadata.namespace), spec }))
      .toSorted((a, b) => exactness(b.spec) - exactness(a.spec));
  }

  /** The check of a service's port, for a subset or for all endpoints; undefined when there is none. */
  find(service: Service, subset: string | undefined, port: number): HealthCheck | undefined {
    const check = this.#checks.find(
      ({ host, spec }) =>
        host === service.canonicalHost &&
        (spec.subset === undefined || spec.subset === subset) &&
        (spec.port === undefined || spec.port.number === port),
    );
    return check && healthCheckOf(check.spec, service.identity.host);
  }
}

function exactness({ subset, port, exportTo }: HealthCheckSpec): number {
  return (subset === undefined ? 0 : 4) + (port === undefined ? 0 : 2) + (isForAll(exportTo) ? 0 : 1);
}

/** @param host The service's host, for probes without one of their own. */
function healthCheckOf(spec: HealthCheckSpec, host: string): HealthCheck {
  const { unhealthyThreshold, healthyThreshold } = spec;
  return {
    probe: probeOf(spec, host),
    intervalMs: parseDurationMs(spec.interval) ?? 0,
    noTrafficIntervalMs: parseDurationMs(spec.noTrafficInterval ?? "") ?? DEFAULT_NO_TRAFFIC_INTERVAL_MS,
    timeoutMs: parseDurationMs(spec.timeout) ?? 0,
    unhealthyThreshold,
    healthyThreshold,
    initialJitterMs: parseDurationMs(spec.initialJitter ?? "") ?? 0,
  };
}

function probeOf({ http, grpc }: HealthCheckSpec, serviceHost: string): HealthProbe {
  if (http !== undefined) {
    const { path, method = "GET", host = serviceHost, headers = {}, expectedStatuses } = http;
    return {
      kind: "http",
      method,
      path,
      host,
      headers,
      expectedStatuses: expectedStatuses ?? DEFAULT_STATUSES,
    };
  }
  if (grpc !== undefined) return { kind: "grpc", host: serviceHost, service: grpc.service ?? "" };
  return { kind: "tcp" };
}
