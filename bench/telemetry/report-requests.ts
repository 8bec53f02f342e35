// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ReportRequest } from "../../api/mixer-service.ts";
import { encodeReportRequest, REPORT_PATH } from "../../api/json/report.ts";
import { attributesOf } from "../check/check-requests.ts";
import { ID, writePostScript } from "../proxy/load/post-script.ts";

/** Bags of a report. */
export const BAGS = 100;
/** Different reports, which wrk sends in turn: one sidecar each, of one of ten services. */
const REPORTS = 20;
const SERVICES = 10;
const USERS = 50;

/** Each report has most requests answered with 200. */
const CODES = [200, 200, 200, 200, 200, 200, 200, 404, 201, 503];
const METHODS = ["GET", "GET", "GET", "POST"];

const STARTED_MS = Date.parse("2026-01-01T00:00:00.000Z");

/** The attributes of a finished request, as the sidecar before a service reports them. */
export function bagOf(report: number, index: number) {
  const serial = report * BAGS + index;
  const service = `service-${report % SERVICES}`;
  const { source, origin, request, connection, context } = attributesOf(serial % USERS);
  const startMs = STARTED_MS + serial * 7;
  // Durations from 0.4 to 90 ms, most of them short.
  const duration = Math.round(400 + (((serial * 7_919) % 1_000) / 1_000) ** 4 * 90_000) / 1_000;
  const id = serial.toString(16).padStart(12, "0");
  const path = `/books/${serial % 97}`;
  return {
    source,
    destination: {
      service: { name: service, namespace: "default", host: `${service}.mesh` },
      ip: "10.1.7.8",
      port: 8080,
    },
    origin,
    request: {
      ...request,
      id: `11111111-2222-3333-4444-${id}`,
      method: METHODS[serial % METHODS.length] as string,
      path: `${path}?full=1`,
      url_path: path,
      headers: { ...request.headers, "x-request-id": `11111111-2222-3333-4444-${id}` },
      time: new Date(startMs).toISOString(),
      total_size: 260,
      trace_id: `0af7651916cd43dd8448${id}`,
      span_id: `b7ad${id}`,
    },
    connection,
    context: { ...context, time: new Date(startMs).toISOString() },
    response: {
      code: CODES[serial % CODES.length] as number,
      code_details: "via_upstream",
      size: 1_024,
      total_size: 1_180,
      duration,
      time: new Date(startMs + Math.ceil(duration)).toISOString(),
      headers: { "content-type": "application/json", "content-length": "1024", server: "upstream" },
    },
    upstream: { address: "10.1.7.8:8080", attempts: 1 },
    check: { cache_hit: true },
    quota: { cache_hit: true },
  } satisfies ReportRequest["bags"][number];
}

/** The body of a report, each bag as its changes, as proxies send it. */
export function reportBody(report: number, deduplicationId: string): string {
  const bags = Array.from({ length: BAGS }, (_, index) => bagOf(report, index));
  return JSON.stringify(encodeReportRequest({ bags, deduplicationId }));
}

/** Writes the Lua script that makes wrk send reports. */
export function writeReportScript(folder: string): string {
  const bodies = Array.from({ length: REPORTS }, (_, report) => reportBody(report, ID));
  return writePostScript(folder, "report", REPORT_PATH, bodies);
}
