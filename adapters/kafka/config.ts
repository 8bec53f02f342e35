// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isIPv6 } from "node:net";
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
import { platformaticFault } from "./platformatic-requirement.ts";
import { topicFault } from "./topic.ts";

/** A dotted path; the reader takes no other form. */
const FIELD_PATH = "^[^.\\s]+(\\.[^.\\s]+)*$";

/** Kafka's default `message.max.bytes`, 1 MiB and 12 bytes for a batch's header, less a margin for that header. */
const DEFAULT_MAX_RECORD_BYTES = 1_000_000;

const Sasl = Type.Object({
  mechanism: Choice(
    ["plain", "scram-sha-256", "scram-sha-512"],
    "The mechanism of RFC 4616 (plain) or RFC 5802 (scram).",
  ),
  username: Type.String({ minLength: 1, description: "The user's name." }),
  password: SecretField({ description: "The user's password." }),
});

const Tls = Type.Object(
  {
    enabled: Type.Boolean({
      default: false,
      description: "Speak TLS, and verify the brokers' certificates.",
    }),
    ca: Type.Optional(
      Type.String({
        description:
          "Certificates of the authorities to trust, as PEM text, in place of those that Node trusts.",
      }),
    ),
  },
  { default: {}, description: "Encryption of the connections to the brokers." },
);

export const CONFIG = Type.Object({
  driver: Choice(
    ["kafkajs", "platformatic"],
    "The library that speaks to Kafka. kafkajs comes with Purser; platformatic needs Node 22.22 and the package @platformatic/kafka.",
    { default: "kafkajs" },
  ),
  brokers: Type.Array(Type.String({ pattern: "^(\\[[0-9a-fA-F:.]+\\]|[^\\s:/\\[\\]]+):[0-9]{1,5}$" }), {
    minItems: 1,
    description: "Some brokers of the cluster, as host:port; the others are learned from them.",
  }),
  clientId: Type.String({
    pattern: "^[a-zA-Z0-9._-]+$",
    default: "purser",
    description: "Name of this client in the brokers' logs and quotas.",
  }),
  topic: Type.String({
    minLength: 1,
    default: "purser.{template}",
    description:
      "The topic of a record. {template} is the instance's template, {name} its document's name, {handler} this handler's name.",
  }),
  key: Type.Optional(
    Type.String({
      pattern: FIELD_PATH,
      description:
        "Path of the instance's field that becomes the key, such as variables.user. Records of one key keep their order. Default: no key.",
    }),
  ),
  headers: MapOf(Type.String({ pattern: FIELD_PATH }), {
    default: {},
    description:
      "Headers of each record: names, and the paths of the instance's fields that become their values.",
  }),
  acks: Choice(
    ["all", "leader", "none"],
    "When a record counts as delivered: all: all in-sync replicas have it; leader: its leader has it; none: it was sent.",
    { default: "all" },
  ),
  idempotent: Type.Optional(
    Type.Boolean({
      description:
        "Have brokers recognize repeated requests; needs acks all. Default: true with acks all, else false.",
    }),
  ),
  compression: Choice(["none", "gzip"], "Compression of requests.", { default: "none" }),
  format: Choice(
    ["json", "cloudevents-binary", "cloudevents-structured"],
    "json: the instance, a decision as a line of a decision log; cloudevents-…: a CloudEvents 1.0 event with this JSON as its data, attributes in headers or around the data.",
    { default: "json" },
  ),
  source: Type.String({
    minLength: 1,
    default: "/purser/{handler}",
    description: "The attribute source of CloudEvents, a URI reference; {handler} is this handler's name.",
  }),
  redact: Type.Array(Type.String({ pattern: "^[^*\\s]+\\*?$" }), {
    default: [],
    description:
      "Attributes to redact from the bags of decisions, such as request.headers.x-session or request.query_params.*. Credentials always are.",
  }),
  sasl: Type.Optional(Sasl),
  tls: Tls,
  connectTimeout: Duration("Longest time to open a connection to a broker.", { default: "1s" }),
  requestTimeout: Duration(
    "Longest time to wait for the answer to a request. Requests are repeated once, so twice this time should be less than the " +
      "handler's delivery.timeout.",
    { default: "2s" },
  ),
  maxRecordBytes: Type.Integer({
    minimum: 1024,
    maximum: 1_000_000_000,
    default: DEFAULT_MAX_RECORD_BYTES,
    description:
      "Size in bytes, before compression, beyond which a record is refused, and of requests to a partition. At most the topic's max.message.bytes.",
  }),
});

export type Config = Static<typeof CONFIG>;

const MAX_PORT = 65_535;

/** Checks beyond the schema. */
export function faultsOf(config: Config): readonly ConfigFault[] {
  const { driver, topic, headers, acks, idempotent, format, tls } = config;
  const faults: ConfigFault[] = [];
  const add = (path: ConfigFault["path"], message: string | undefined): void => {
    if (message !== undefined) faults.push({ path, message });
  };
  add(["driver"], driver === "platformatic" ? platformaticFault() : undefined);
  for (const [index, broker] of config.brokers.entries())
    add(["brokers", index], brokerFault(broker, driver));
  add(["topic"], topicFault(topic));
  for (const name of Object.keys(headers)) add(["headers", name], headerFault(name, format));
  if (idempotent === true && acks !== "all")
    add(["idempotent"], `an idempotent producer needs acks: all, and acks is ${acks}`);
  if (tls.ca !== undefined && !tls.enabled) add(["tls", "ca"], "ca has no effect without enabled: true");
  if (tls.ca !== undefined && !tls.ca.includes("-----BEGIN CERTIFICATE-----"))
    add(["tls", "ca"], "ca has no certificate in PEM form, which begins with -----BEGIN CERTIFICATE-----");
  for (const field of ["connectTimeout", "requestTimeout"] as const) {
    if (durationMs(config[field]) < 1) add([field], `${field} must be 1ms at least`);
  }
  return faults;
}

function brokerFault(broker: string, driver: Config["driver"]): string | undefined {
  const colon = broker.lastIndexOf(":");
  const port = Number(broker.slice(colon + 1));
  if (port < 1 || port > MAX_PORT) return `"${broker}" has no port from 1 to ${MAX_PORT}`;
  if (!broker.startsWith("[")) return undefined;
  if (!isIPv6(broker.slice(1, colon - 1))) return `"${broker}" has no IPv6 address in its brackets`;
  return driver === "kafkajs"
    ? `the driver kafkajs takes no IPv6 address: write a host name in place of "${broker}"`
    : undefined;
}

function headerFault(name: string, format: Config["format"]): string | undefined {
  if (name === "") return "a header needs a name";
  if (format === "json" || !(name === "content-type" || name.startsWith("ce_"))) return undefined;
  return `the format ${format} makes the header "${name}" itself`;
}
