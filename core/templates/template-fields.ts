// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TemplateName } from "./template-names.ts";

/**
 * The fields of each template that a Rule may fill: one value, or a map of values. See
 * core/templates/instances.ts.
 */
export const TEMPLATE_FIELDS: Readonly<Record<TemplateName, Readonly<Record<string, "value" | "map">>>> = {
  listentry: { value: "value" },
  checknothing: {},
  headers: { values: "map" },
  authorization: { subject: "map", action: "map" },
  quota: {},
  metric: { type: "value", value: "value", labels: "map", unit: "value", help: "value" },
  logentry: { severity: "value", variables: "map" },
  tracespan: { spanName: "value", tags: "map" },
  decision: {},
};
