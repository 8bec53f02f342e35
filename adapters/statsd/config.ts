// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Choice, type ConfigFault, MapOf, type Static, Type } from "../../plugins/sdk/index.ts";

/** Text of a field at the end of a DogStatsD line: no separator and no control character. */
const Field = (description: string) =>
  Type.Optional(Type.String({ pattern: "^[^|,\\s\\u0000-\\u001f]+$", maxLength: 400, description }));

export const CONFIG = Type.Object({
  host: Type.String({
    minLength: 1,
    default: "127.0.0.1",
    description: "The server's name or address.",
  }),
  port: Type.Integer({ minimum: 1, maximum: 65_535, default: 8125, description: "The server's port." }),
  transport: Choice(
    ["udp", "tcp"],
    "udp: datagrams, which may be lost unnoticed; tcp: lines on a connection.",
    { default: "udp" },
  ),
  dialect: Choice(
    ["statsd", "dogstatsd"],
    "statsd: the original protocol, with labels in names; dogstatsd: with tags.",
    { default: "statsd" },
  ),
  prefix: Type.String({
    default: "",
    pattern: "^[A-Za-z0-9_.-]*$",
    description: "Text before every name, with its own separator, such as `purser.`",
  }),
  labels: Choice(
    ["append", "drop"],
    "In the dialect statsd: append the labels' values to the name, or drop the labels.",
    { default: "append" },
  ),
  histogram: Type.Optional(
    Choice(
      ["ms", "h", "d"],
      "Type of a histogram's values: timer, histogram or distribution. Default: ms in the dialect statsd, d in dogstatsd.",
    ),
  ),
  packValues: Type.Boolean({
    default: true,
    description:
      "In the dialect dogstatsd: several values of a histogram in one line (protocol 1.1, Agent 7.25).",
  }),
  timestamps: Type.Boolean({
    default: false,
    description:
      "In the dialect dogstatsd: send the seconds of counters and gauges (protocol 1.3, Agent 7.40), which are not aggregated by the Agent then.",
  }),
  tags: MapOf(Type.String(), {
    default: {},
    description: "In the dialect dogstatsd: tags of every line.",
  }),
  containerId: Field(
    "In the dialect dogstatsd: the container's id (protocol 1.2), such as ci-<64 hex digits>.",
  ),
  externalData: Field("In the dialect dogstatsd: external data of the Admission Controller (protocol 1.5)."),
  cardinality: Type.Optional(
    Choice(
      ["none", "low", "orchestrator", "high"],
      "In the dialect dogstatsd: which tags of the container the Agent adds (protocol 1.6).",
    ),
  ),
  maxPacketBytes: Type.Integer({
    minimum: 64,
    maximum: 65_507,
    default: 1432,
    description:
      "Maximum size of a datagram in bytes, or over TCP of a line; 1432 fits an Ethernet frame, 8192 suits loopback.",
  }),
});

export type StatsdConfig = Static<typeof CONFIG>;

/** Fields that the dialect statsd has no form for. */
const DOGSTATSD_ONLY = ["containerId", "externalData", "cardinality"] as const;

export function faultsOf(config: StatsdConfig): readonly ConfigFault[] {
  if (config.dialect === "dogstatsd") return [];
  const used: string[] = DOGSTATSD_ONLY.filter((field) => config[field] !== undefined);
  if (config.timestamps) used.push("timestamps");
  if (Object.keys(config.tags).length > 0) used.push("tags");
  return used.map((field) => ({ path: [field], message: `${field} needs dialect: dogstatsd` }));
}
