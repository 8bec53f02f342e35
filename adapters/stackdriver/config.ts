// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  Choice,
  type ConfigFault,
  Duration,
  durationMs,
  MapOf,
  SecretField,
  type Static,
  Type,
} from "../../plugins/sdk/index.ts";

const Endpoint = (what: string, options: { readonly default?: string } = {}) =>
  Type.String({ pattern: "^https?://[^\\s?#]+$", description: `Base URL of ${what}.`, ...options });

const Variable = (what: string) => Type.Optional(Type.String({ description: `The variable with ${what}.` }));

/** The variables of log entries with facts about an HTTP request: fields of google.logging.type.HttpRequest. */
const HTTP_REQUEST = Type.Object(
  {
    requestMethod: Variable("the method"),
    requestUrl: Variable("the URL or the path"),
    requestSize: Variable("the size of the request in bytes"),
    status: Variable("the status of the response"),
    responseSize: Variable("the size of the response in bytes"),
    userAgent: Variable("the user agent"),
    remoteIp: Variable("the client's address"),
    serverIp: Variable("the server's address"),
    referer: Variable("the referrer"),
    latency: Variable("the duration of the request in milliseconds"),
    protocol: Variable("the protocol, such as HTTP/1.1"),
  },
  { default: {}, description: "Variables that become fields of an entry's httpRequest." },
);

const LOGS = Type.Object(
  {
    prefix: Type.String({
      default: "purser.",
      pattern: "^[A-Za-z0-9_./-]*$",
      maxLength: 256,
      description: "Prefix of every log's id; the rest is the LogEntry document's name.",
    }),
    labels: Type.Array(Type.String(), {
      default: [],
      maxItems: 64,
      description: "Variables that become labels of the entry, and are left out of its payload.",
    }),
    httpRequest: HTTP_REQUEST,
    trace: Variable("the id of the trace, 32 hexadecimal digits"),
    span: Variable("the id of the span, 16 hexadecimal digits"),
  },
  { default: {}, description: "How log entries are written." },
);

export const CONFIG = Type.Object({
  project: Type.String({
    pattern: "^[a-z0-9][a-z0-9.:-]{1,62}$",
    description: "Id or number of the Google Cloud project that receives the telemetry.",
  }),
  credentials: Choice(
    ["default", "key", "metadata", "none"],
    "default: Application Default Credentials; key: the key of a service account, in key or keyFile; metadata: the metadata " +
      "server of Compute Engine, GKE or Cloud Run; none: no authorization, for stand-ins of the services.",
    { default: "default" },
  ),
  key: Type.Optional(SecretField({ description: "The JSON of a service account's key." })),
  keyFile: Type.Optional(
    Type.String({ minLength: 1, description: "File with the JSON of a key; read again when it changes." }),
  ),
  endpoints: Type.Object(
    {
      monitoring: Endpoint("Cloud Monitoring", { default: "https://monitoring.googleapis.com" }),
      logging: Endpoint("Cloud Logging", { default: "https://logging.googleapis.com" }),
      trace: Endpoint("Cloud Trace", { default: "https://cloudtrace.googleapis.com" }),
      token: Type.Optional(Endpoint("the token server for keys; by default Google's")),
      metadata: Type.Optional(
        Endpoint("the metadata server; by default GCE_METADATA_HOST or metadata.google.internal"),
      ),
    },
    { default: {}, description: "Where the services are." },
  ),
  resource: Type.Object(
    {
      type: Type.String({
        default: "generic_task",
        pattern: "^[a-z][a-z0-9_]*$",
        description: "Type of the monitored resource, such as generic_task, global or k8s_container.",
      }),
      labels: MapOf(Type.String(), {
        default: {},
        description:
          "Labels of the resource. project_id, and location, namespace, job and task_id of a generic_task, have defaults.",
      }),
    },
    { default: {}, description: "The monitored resource of metrics and log entries." },
  ),
  metricPrefix: Type.String({
    default: "custom.googleapis.com/purser/",
    pattern: "^[a-z0-9.-]+\\.googleapis\\.com/([A-Za-z0-9_./]*)$",
    maxLength: 100,
    description: "Prefix of every metric's type; the rest is the Metric document's name.",
  }),
  valueTypes: MapOf(Choice(["int64", "double"], "int64: whole numbers; double: any."), {
    default: {},
    description:
      "Value types of counters and gauges by Metric document. Default: int64 for counters without a unit or in bytes, else double.",
  }),
  interval: Duration("Time between two pushes of metrics, 5s or more.", { default: "60s" }),
  maxSeries: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 200_000,
    description:
      "Most time series of the handler; further label sets of a metric are counted in one series whose labels are all _overflow.",
  }),
  expireAfter: Duration("Forget a time series that received no report for this long.", { default: "1h" }),
  timeout: Duration("Longest time of a call that pushes metrics.", { default: "10s" }),
  closeTimeout: Duration("Longest time of the last push when the handler is closed.", { default: "1s" }),
  logs: LOGS,
});

export type StackdriverConfig = Static<typeof CONFIG>;

/** End times of one series' points must be this far apart, in milliseconds (cloud.google.com/monitoring/quotas). */
export const MIN_SPACING_MS = 5_000;

/** Faults that the schema cannot express. */
export function faultsOf(config: StackdriverConfig): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  const { credentials, key, keyFile } = config;
  if (credentials === "key") {
    if (key === undefined && keyFile === undefined)
      faults.push({ path: ["credentials"], message: "credentials: key needs either key or keyFile" });
    if (key !== undefined && keyFile !== undefined)
      faults.push({ path: ["keyFile"], message: "key and keyFile exclude each other; remove one of them" });
  } else {
    for (const field of ["key", "keyFile"] as const) {
      if (config[field] === undefined) continue;
      faults.push({ path: [field], message: `${field} needs credentials: key; now it is ${credentials}` });
    }
  }
  if (durationMs(config.interval) < MIN_SPACING_MS) {
    const message = "interval must be 5s or more: Cloud Monitoring refuses points that are closer together";
    faults.push({ path: ["interval"], message });
  }
  for (const field of ["expireAfter", "timeout", "closeTimeout"] as const) {
    if (durationMs(config[field]) > 0) continue;
    faults.push({ path: [field], message: `${field} must be more than 0` });
  }
  return faults;
}
