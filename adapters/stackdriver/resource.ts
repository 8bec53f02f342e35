// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { StackdriverConfig } from "./config.ts";
import { cutCharacters } from "./text.ts";

/** google.api.MonitoredResource. */
export interface MonitoredResource {
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The resource of a handler's telemetry, and the label that keeps its time series apart from any other process'. */
export interface Origin {
  readonly resource: MonitoredResource;
  /** Labels that every metric carries besides its own. */
  readonly metricLabels: Readonly<Record<string, string>>;
  /** The name of this handler in this process. No other handler, process or restart has the same. */
  readonly task: string;
}

/** The label of a generic_task that holds the task. */
const TASK_LABEL = "task_id";

/**
 * Two writers of one time series refuse each other's points, so each handler has a task of its own: in the resource label
 * `task_id` of a generic_task, otherwise in the metric label `task`.
 */
export function originOf(
  { project, resource }: Pick<StackdriverConfig, "project" | "resource">,
  handler: string,
): Origin {
  // Not from context.random: a host with a seed would repeat the task after a restart.
  const task = `${cutCharacters(hostname(), 200)}-${process.pid}-${randomUUID().slice(0, 13)}`;
  const ownTask = resource.type === "generic_task" && resource.labels[TASK_LABEL] === undefined;
  const defaults: Readonly<Record<string, string>> =
    resource.type === "generic_task"
      ? { location: "global", namespace: "purser", job: cutCharacters(handler, 200), [TASK_LABEL]: task }
      : {};
  return {
    resource: { type: resource.type, labels: { project_id: project, ...defaults, ...resource.labels } },
    metricLabels: ownTask ? {} : { task },
    task,
  };
}
