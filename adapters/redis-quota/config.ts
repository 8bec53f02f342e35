// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type ConfigFault,
  Duration,
  durationMs,
  SecretField,
  type Static,
  Type,
} from "../../plugins/sdk/index.ts";
import { parseUrl } from "./url.ts";

/** Each shard has a batch and a circuit breaker of its own, so their number is bounded. */
const SHARDS_MAX = 1_024;

const Addresses = (port: number, description: string) =>
  Type.Optional(
    Type.Array(
      Type.Object({
        host: Type.String({ minLength: 1, description: "A host name or address." }),
        port: Type.Integer({ minimum: 1, maximum: 65_535, default: port, description: "The port." }),
      }),
      { minItems: 1, description },
    ),
  );

const FilePath = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));

export const CONFIG = Type.Object({
  url: Type.Optional(
    SecretField({
      description:
        "redis://[[user]:password@]host[:port][/db], or rediss:// for TLS; no other form. Replaces host, port, username, password, db and tls.",
    }),
  ),
  host: Type.Optional(
    Type.String({ minLength: 1, description: "A host name or address; default 127.0.0.1." }),
  ),
  port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, description: "Default 6379." })),
  sentinels: Addresses(
    26_379,
    "The Sentinels that know the primary, in place of host and port; asked in this order.",
  ),
  master: Type.Optional(
    Type.String({ minLength: 1, description: "The name by which the Sentinels know the primary." }),
  ),
  sentinelUsername: Type.Optional(Type.String({ description: "A user of the Sentinels' ACLs." })),
  sentinelPassword: Type.Optional(
    SecretField({ description: "The Sentinels' password; the primary's is password." }),
  ),
  cluster: Addresses(
    6379,
    "Some nodes of a Redis Cluster, in place of host and port; the others are learned from them.",
  ),
  shards: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: SHARDS_MAX,
      description:
        "The number of hash tags, spread evenly over the slots of a cluster; default 16. Mixers that share quotas have the same number, and a change starts all counts anew.",
    }),
  ),
  username: Type.Optional(
    Type.String({ description: "A user of Redis 6 ACLs; the default user when absent." }),
  ),
  password: Type.Optional(SecretField({ description: "The user's password." })),
  db: Type.Optional(Type.Integer({ minimum: 0, description: "The number of the database; default 0." })),
  tls: Type.Optional(
    Type.Boolean({
      description: "Speak TLS with servers and Sentinels, and verify their certificates; default false.",
    }),
  ),
  caFile: FilePath(
    "A PEM file of the authorities that sign the servers' certificates, relative to the document. Default: those of Node.js.",
  ),
  certFile: FilePath("A PEM file of this client's certificate, relative to the document. Needs keyFile."),
  keyFile: FilePath("A PEM file of the certificate's private key, relative to the document."),
  serverName: Type.Optional(
    Type.String({
      minLength: 1,
      description: "The name that the servers' certificates must have; default: the host.",
    }),
  ),
  keyPrefix: Type.String({
    default: "purser:{quota}:",
    pattern: "^[^{}]*\\{[^{}]+\\}[^{}]*$",
    description:
      "Prefix of every key. It must have a {hash tag}: a cluster's shards are {hash tag.1}, {hash tag.2} and so on. " +
      "Mixers that share quotas share the prefix.",
  }),
  timeout: Duration("Longest time of a call; after it the policy's onStoreFailure decides.", {
    default: "100ms",
  }),
});

export type Config = Static<typeof CONFIG>;

type Field = keyof Config;

/** The fields that `url` replaces. */
const URL_PARTS = ["host", "port", "username", "password", "db", "tls"] as const;
const TLS_PARTS = ["caFile", "certFile", "keyFile", "serverName"] as const;
const SENTINEL_PARTS = ["master", "sentinelUsername", "sentinelPassword"] as const;

/** Lone surrogates, which UTF-8 cannot encode. */
const HALF_A_PAIR = /\p{Surrogate}/u;

/** Checks beyond the schema. No message shows the url: it may hold a password. */
export function faultsOf(config: Config): readonly ConfigFault[] {
  return [...valueFaults(config), ...topologyFaults(config), ...urlFaults(config), ...tlsFaults(config)];
}

function valueFaults(config: Config): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  if (durationMs(config.timeout) < 1) faults.push(fault("timeout", "timeout must be 1ms at least"));
  for (const field of ["username", "password", "sentinelUsername", "sentinelPassword"] as const) {
    if (HALF_A_PAIR.test(config[field] ?? ""))
      faults.push(fault(field, `${field} has half of a surrogate pair, which has no bytes to send`));
  }
  for (const [user, password] of [
    ["username", "password"],
    ["sentinelUsername", "sentinelPassword"],
  ] as const) {
    if (config.url === undefined && config[user] !== undefined && config[password] === undefined)
      faults.push(fault(user, `a ${user} needs a ${password}: Redis logs in with both`));
  }
  return faults;
}

/** A handler has one server, the primary that Sentinels name, or a cluster. */
function topologyFaults(config: Config): readonly ConfigFault[] {
  const { sentinels, cluster, db } = config;
  const faults: ConfigFault[] = [];
  const several = "sentinels and cluster exclude each other, and url, host and port";
  if (sentinels !== undefined || cluster !== undefined) {
    for (const field of ["url", "host", "port"] as const)
      if (config[field] !== undefined) faults.push(fault(field, `write one of them: ${several}`));
  }
  if (sentinels !== undefined && cluster !== undefined)
    faults.push(fault("cluster", `write one of them: ${several}`));
  if (sentinels !== undefined && config.master === undefined)
    faults.push(fault("sentinels", "sentinels need master, the name by which they know the primary"));
  if (sentinels === undefined) faults.push(...without(config, SENTINEL_PARTS, "sentinels"));
  if (cluster === undefined) faults.push(...without(config, ["shards"], "cluster: one server has one shard"));
  if (cluster !== undefined && db !== undefined && db !== 0)
    faults.push(fault("db", "a cluster has database 0 only: leave db out"));
  return faults;
}

function urlFaults(config: Config): readonly ConfigFault[] {
  if (config.url === undefined) return [];
  const faults = URL_PARTS.filter((part) => config[part] !== undefined).map((part) =>
    fault(part, `write either url, or ${URL_PARTS.join(", ")}; the url says what ${part} is`),
  );
  const parsed = parseUrl(config.url);
  if (typeof parsed === "string") faults.push(fault("url", `url ${parsed}`));
  return faults;
}

function tlsFaults(config: Config): readonly ConfigFault[] {
  const { url, certFile, keyFile } = config;
  const parsed = url === undefined ? undefined : parseUrl(url);
  const tls = typeof parsed === "object" ? parsed.tls : (config.tls ?? false);
  if (!tls) return without(config, TLS_PARTS, "tls: true, or a url with rediss://");
  if ((certFile === undefined) === (keyFile === undefined)) return [];
  const [present, absent] =
    certFile === undefined ? (["keyFile", "certFile"] as const) : (["certFile", "keyFile"] as const);
  return [fault(present, `${present} needs ${absent}`)];
}

/** Faults for the fields that are present without the one that they need. */
function without(config: Config, fields: readonly Field[], needed: string): readonly ConfigFault[] {
  return fields
    .filter((field) => config[field] !== undefined)
    .map((field) => fault(field, `${field} needs ${needed}`));
}

function fault(field: Field, message: string): ConfigFault {
  return { path: [field], message };
}
