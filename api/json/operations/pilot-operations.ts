// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { decodeTrafficUpdate, DISCOVERY_PATH, DISCOVERY_QUERY } from "../discovery.ts";
import { REGISTRY_PATH, RegistryListingSchema } from "../registry.ts";
import { readyOperation } from "./health-operations.ts";
import { metricsOperation } from "./metrics-operation.ts";
import { jsonAnswer, type Operation } from "./operation.ts";

export const POLL_PROXY_CONFIG: Operation = {
  id: "pollProxyConfig",
  method: "get",
  path: DISCOVERY_PATH,
  summary: "Wait for other resources than the proxy has: a long poll.",
  query: DISCOVERY_QUERY,
  answers: {
    200: jsonAnswer("TrafficUpdate", decodeTrafficUpdate.schema, "Each type that changed, as a whole set."),
    304: { description: "Every version is current." },
  },
  errors: ["PURSER_PILOT_UNAVAILABLE", "PURSER_OVERLOADED", "PURSER_DRAINING"],
};

export const GET_PILOT_READY: Operation = readyOperation("PURSER_PILOT_UNAVAILABLE");

export const GET_PILOT_METRICS = metricsOperation("/metrics", "Pilot's metrics.");

export const GET_REGISTRY: Operation = {
  id: "getRegistry",
  method: "get",
  path: REGISTRY_PATH,
  summary: "The services of the documents in force, with their endpoints.",
  answers: { 200: jsonAnswer("RegistryListing", RegistryListingSchema, "The services.") },
};
