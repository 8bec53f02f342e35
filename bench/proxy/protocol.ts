// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Certificate, makeCertificate } from "./certificate.ts";
import { type Bars, GRPC_BARS, HTTP1_BARS, TLS_BARS } from "./bars.ts";
import type { Loader } from "./load/full-load.ts";
import { frame, GRPC_FIELDS, UNARY } from "./load/grpc.ts";
import { h2loadLoader } from "./load/h2load.ts";
import { JUDGED_WORKLOAD, WORKLOADS, type Workload } from "./load/workloads.ts";
import { wrkLoader } from "./load/wrk.ts";
import { answersGrpc, answersHttp, answersHttps, type Probe } from "./probe.ts";

/** A way that clients and contenders speak with each other, and its load. */
export interface Protocol {
  readonly name: string;
  /** Shown by --help. */
  readonly summary: string;
  /** The load generator, a program on PATH. */
  readonly generator: "wrk" | "h2load";
  readonly workloads: readonly Workload[];
  /** The workload by which the bars are judged; it comes first, so that V8 compiles the code for it before it sees the others. */
  readonly judged: string;
  /** Names of the contenders; undefined for all. */
  readonly contenders?: readonly string[];
  /** Length of each run unless told otherwise, in seconds. */
  readonly seconds: number;
  /** Whether there are a cold load and a half load, whose generator speaks HTTP/1.1 without TLS. */
  readonly isPaced: boolean;
  readonly bars: Bars;
  /** Writes the contenders' certificate into the folder; undefined without TLS. */
  makeCertificate?(folder: string): Certificate;
  readonly isGrpc?: boolean;
  readonly isAnswering: Probe;
  /** Writes into the folder what the generator reads. */
  loader(folder: string, workload: Workload): Loader;
}

const PROXIES = ["nginx", "envoy", "purser", "purser-full"];
/** Small and large responses, and a request with a body: with all four workloads a run takes more than five minutes. */
const TLS_WORKLOADS = WORKLOADS.filter(({ name }) => name !== "get-100");

export const HTTP1: Protocol = {
  name: "http1",
  summary: "HTTP/1.1 without TLS, by wrk",
  generator: "wrk",
  workloads: WORKLOADS,
  judged: JUDGED_WORKLOAD,
  seconds: 5,
  isPaced: true,
  bars: HTTP1_BARS,
  isAnswering: answersHttp(),
  loader: (folder, workload) => wrkLoader("http", folder, workload),
};

const HTTPS: Protocol = {
  name: "https",
  summary: "HTTP/1.1 over TLS from clients, by wrk; HTTP/1.1 to the upstream",
  generator: "wrk",
  workloads: TLS_WORKLOADS,
  judged: JUDGED_WORKLOAD,
  contenders: PROXIES,
  seconds: 3,
  isPaced: false,
  bars: TLS_BARS,
  makeCertificate,
  isAnswering: answersHttps,
  loader: (folder, workload) => wrkLoader("https", folder, workload),
};

const H2: Protocol = {
  ...HTTPS,
  name: "h2",
  summary: "HTTP/2 over TLS from clients, by h2load; HTTP/1.1 to the upstream",
  generator: "h2load",
  loader: (folder, workload) =>
    h2loadLoader(
      "https",
      folder,
      workload,
      workload.method === "POST" ? { body: "x".repeat(workload.bodyBytes) } : {},
    ),
};

const GRPC: Protocol = {
  name: "grpc",
  summary: "unary gRPC over HTTP/2 without TLS on both sides, by h2load",
  generator: "h2load",
  workloads: [UNARY],
  judged: UNARY.name,
  contenders: ["direct", ...PROXIES],
  seconds: 3,
  isPaced: false,
  bars: GRPC_BARS,
  isGrpc: true,
  isAnswering: answersGrpc,
  loader: (folder, workload) =>
    h2loadLoader("http", folder, workload, { body: frame(), fields: GRPC_FIELDS }),
};

export const PROTOCOLS: readonly Protocol[] = [HTTP1, HTTPS, H2, GRPC];
