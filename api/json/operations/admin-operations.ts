// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { decodeTrafficUpdate } from "../discovery.ts";
import { metricsOperation } from "./metrics-operation.ts";
import type { Answer, Operation } from "./operation.ts";

/** The admin surface of a proxy, with Envoy's paths. */

function text(description: string): Answer {
  return { description, content: { "text/plain": Type.String() } };
}

export const GET_PROXY_READY: Operation = {
  id: "getReadiness",
  method: "get",
  path: "/ready",
  summary: "Whether the proxy can serve requests.",
  access: "probe",
  answers: { 200: text("LIVE"), 503: text("The reason why not.") },
};

export const GET_STATS = metricsOperation("/stats/prometheus", "The proxy's metrics.");

export const GET_CLUSTERS: Operation = {
  id: "getClusters",
  method: "get",
  path: "/clusters",
  summary: "The counts of each cluster and endpoint, one per line.",
  answers: { 200: text("Lines of the form NAME::VALUE.") },
};

export const GET_CONFIG_DUMP: Operation = {
  id: "getConfigDump",
  method: "get",
  path: "/config_dump",
  summary: "The resources in force, as pilot sent them; null before the first ones.",
  answers: {
    200: {
      description: "The resources by type.",
      content: { "application/json": Type.Union([decodeTrafficUpdate.schema, Type.Null()]) },
    },
  },
};

export const DRAIN: Operation = {
  id: "drain",
  method: "post",
  path: "/drain",
  summary: "Close the listeners and let requests under way finish.",
  answers: { 202: text("The proxy drains.") },
};
