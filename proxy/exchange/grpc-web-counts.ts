// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, type Registry } from "prom-client";

import { STATUS_CODES } from "../../kernel/status.ts";
import type { Exchange } from "./exchange.ts";
import type { GrpcWebCall } from "./grpc-web-call.ts";

/** The metric of calls of gRPC-Web that were forwarded as gRPC. */
export class GrpcWebCounts {
  readonly #calls: Counter;

  /** Registers the metric. */
  constructor(registry: Registry) {
    this.#calls = new Counter({
      name: "purser_proxy_grpc_web_requests_total",
      help: "Calls of gRPC-Web that were translated to gRPC and are over, by listener, form of the request and gRPC status.",
      labelNames: ["listener", "form", "grpc_status"],
      registers: [registry],
    });
  }

  count({ listener, response, responseTrailers }: Exchange, { request: form }: GrpcWebCall): void {
    const status = response?.headers.get("grpc-status") ?? responseTrailers?.get("grpc-status");
    this.#calls.inc({ listener: listener.name, form, grpc_status: nameOf(status) });
  }
}

/** `none` without a status; the number is the service's own text, which must not make series without a bound. */
function nameOf(status: string | undefined): string {
  return status === undefined ? "none" : (STATUS_CODES[Number(status)] ?? "other");
}
