// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  Choice,
  type ConfigFault,
  Duration,
  durationMs,
  headerNameFault,
  headerValueFault,
  MapOf,
  SecretField,
  type Static,
  Type,
} from "../../plugins/sdk/index.ts";
import { MAX_SCALE, MAX_BUCKETS, MIN_BUCKETS, MIN_SCALE } from "./metrics/exponential.ts";

export const PROTOCOLS = ["http/protobuf", "http/json", "grpc"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** The three kinds of telemetry, each with an OTLP service of its own. */
export const SIGNALS = ["traces", "metrics", "logs"] as const;
export type Signal = (typeof SIGNALS)[number];

const URL_PATTERN = "^https?://[^/]";

export const CONFIG = Type.Object({
  protocol: Choice(PROTOCOLS, "How requests are encoded and sent.", { default: "http/protobuf" }),
  endpoint: Type.Optional(
    Type.String({
      pattern: URL_PATTERN,
      description:
        "The receiver's URL; over HTTP, /v1/traces, /v1/metrics and /v1/logs are appended to it. https:// means TLS. " +
        "Default http://127.0.0.1:4318, and http://127.0.0.1:4317 for grpc, the ports of the standard.",
    }),
  ),
  endpoints: Type.Object(
    Object.fromEntries(SIGNALS.map((signal) => [signal, endpointOf(signal)])) as Record<
      Signal,
      ReturnType<typeof endpointOf>
    >,
    { default: {}, description: "URLs of single signals, used as they are." },
  ),
  headers: MapOf(SecretField({ description: "The header's value." }), {
    default: {},
    description: "Headers, or metadata of grpc, of every request, such as credentials. At most 32.",
    maxProperties: 32,
  }),
  compression: Choice(["gzip", "none"], "Compression of requests.", { default: "gzip" }),
  resource: MapOf(Type.String(), {
    default: {},
    description:
      'Attributes of the resource. service.name is "purser" unless it is given, service.instance.id a random UUID.',
  }),
  bodyVariable: Type.String({
    default: "message",
    description: "The variable of a LogEntry that becomes the record's body; without it the LogEntry's name.",
  }),
  interval: Duration("Time between two pushes of metrics, 1s at least.", { default: "60s" }),
  timeout: Duration("Longest time of one request of a push of metrics, and of the last push at the close.", {
    default: "5s",
  }),
  maxSeries: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description:
      "Most series of one metric; further label sets are counted in one series with the attribute otel.metric.overflow.",
  }),
  expireAfter: Type.Optional(
    Duration("Forget a series that received no report for this long; never by default."),
  ),
  exemplars: Type.Boolean({
    default: true,
    description:
      "Send the trace and span of one sampled request a second for each counter and each bucket of a histogram.",
  }),
  histogram: Type.Object(
    {
      kind: Choice(
        ["explicit", "exponential"],
        "explicit: the buckets of the Metric document; exponential: buckets that adapt to the values.",
        { default: "explicit" },
      ),
      maxScale: Type.Integer({
        default: MAX_SCALE,
        minimum: MIN_SCALE,
        maximum: MAX_SCALE,
        description: "The scale that an exponential histogram begins with.",
      }),
      maxBuckets: Type.Integer({
        default: MAX_BUCKETS,
        minimum: MIN_BUCKETS,
        maximum: MAX_BUCKETS,
        description: "Most buckets of an exponential histogram, for each sign.",
      }),
    },
    { default: {}, description: "The form of histograms." },
  ),
});

export type Config = Static<typeof CONFIG>;

function endpointOf(signal: string) {
  return Type.Optional(Type.String({ pattern: URL_PATTERN, description: `The URL for ${signal}.` }));
}

/** Headers that the adapter or its HTTP client writes. */
const RESERVED: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "host",
  "te",
  "transfer-encoding",
]);

/** No message shows a header's value or a URL: they may hold secrets. */
export function faultsOf(config: Config): readonly ConfigFault[] {
  return [...faultsOfUrls(config), ...faultsOfHeaders(config), ...faultsOfTimes(config)];
}

function faultsOfUrls({ protocol, endpoint, endpoints }: Config): readonly ConfigFault[] {
  const urls: (readonly [ConfigFault["path"], string | undefined])[] = [
    [["endpoint"], endpoint],
    ...SIGNALS.map((signal) => [["endpoints", signal], endpoints[signal]] as const),
  ];
  return urls.flatMap(([path, text]) => {
    const message = text === undefined ? undefined : faultOfUrl(text, path.length === 1, protocol);
    return message === undefined ? [] : [{ path, message }];
  });
}

function faultOfUrl(text: string, isBase: boolean, protocol: Protocol): string | undefined {
  if (!URL.canParse(text)) return "this is no URL";
  const { username, password, search, hash, pathname } = new URL(text);
  if (username !== "" || password !== "") return "put credentials into headers, where they are secret";
  if (hash !== "" || (search !== "" && isBase)) return "a query or fragment cannot be part of this URL";
  if (protocol === "grpc" && pathname !== "/")
    return "grpc has paths of its own: name the host and port only";
  return undefined;
}

function faultsOfHeaders({ headers, protocol }: Config): readonly ConfigFault[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const message =
      headerNameFault(name) ??
      faultOfName(name.toLowerCase(), protocol) ??
      headerValueFault(name, value) ??
      faultOfValue(value, protocol);
    return message === undefined ? [] : [{ path: ["headers", name], message }];
  });
}

function faultOfName(name: string, protocol: Protocol): string | undefined {
  if (RESERVED.has(name)) return "the adapter writes this header itself";
  if (protocol === "grpc" && (name.startsWith("grpc-") || name.endsWith("-bin")))
    return "grpc keeps names that begin with grpc- or end with -bin to itself";
  return undefined;
}

/** Metadata of gRPC is ASCII ("gRPC over HTTP2", section "Requests"). */
function faultOfValue(value: string, protocol: Protocol): string | undefined {
  return protocol === "grpc" && !/^[\x20-\x7e]*$/.test(value) ? "grpc takes printable ASCII only" : undefined;
}

function faultsOfTimes({ interval, timeout, expireAfter }: Config): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  if (durationMs(interval) < 1000)
    faults.push({ path: ["interval"], message: "interval must be 1s at least" });
  if (durationMs(timeout) < 1) faults.push({ path: ["timeout"], message: "timeout must be 1ms at least" });
  if (expireAfter !== undefined && durationMs(expireAfter) < durationMs(interval))
    faults.push({
      path: ["expireAfter"],
      message: "expireAfter must not be less than interval: a series would be forgotten before it is pushed",
    });
  return faults;
}

/** The paths of the OTLP/HTTP specification, section "OTLP/HTTP Request". */
const PATHS: Readonly<Record<Signal, string>> = {
  traces: "/v1/traces",
  metrics: "/v1/metrics",
  logs: "/v1/logs",
};

/** The URL that a signal is sent to. */
export function urlOf(config: Config, signal: Signal): string {
  const { protocol, endpoints } = config;
  const own = endpoints[signal];
  if (own !== undefined) return own;
  const port = protocol === "grpc" ? 4317 : 4318;
  const base = config.endpoint ?? `http://127.0.0.1:${port}`;
  return protocol === "grpc" ? base : `${base.replace(/\/$/, "")}${PATHS[signal]}`;
}
