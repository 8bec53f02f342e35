// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { CONTENT_TYPES } from "../../../core/exposition/formats.ts";
import type { Operation } from "./operation.ts";

/** Metrics in Prometheus' text format. */
export function metricsOperation(path: string, summary: string): Operation {
  return {
    id: "getMetrics",
    method: "get",
    path,
    summary,
    access: "metrics",
    answers: {
      200: { description: "A page for Prometheus.", content: { [CONTENT_TYPES.text]: Type.String() } },
    },
  };
}
