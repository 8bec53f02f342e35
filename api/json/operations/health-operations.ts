// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "../../../kernel/error-catalog.ts";
import { HEALTH_PATH, HealthSchema, READY_PATH, ReadyStateSchema } from "../health.ts";
import { jsonAnswer, type Operation } from "./operation.ts";

/** The health of the mixer and of pilot, for orchestrators. */

export const GET_HEALTH: Operation = {
  id: "getHealth",
  method: "get",
  path: HEALTH_PATH,
  summary: "Whether the process responds.",
  access: "probe",
  answers: { 200: jsonAnswer("Health", HealthSchema, "It does.") },
};

/** @param unavailable Code of a process that has no documents yet. */
export function readyOperation(unavailable: ErrorCode): Operation {
  return {
    id: "getReadiness",
    method: "get",
    path: READY_PATH,
    summary: "Whether the process can serve requests.",
    access: "probe",
    answers: { 200: jsonAnswer("ReadyState", ReadyStateSchema, "It can.") },
    errors: ["PURSER_DRAINING", unavailable],
  };
}
