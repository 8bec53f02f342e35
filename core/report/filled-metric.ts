// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MetricInstance } from "../templates/instances.ts";

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

type Made = new (
  name: MetricInstance["name"],
  type: MetricInstance["type"],
  value: number,
  labels: MetricInstance["labels"],
  timestampMs: number,
  buckets: MetricInstance["buckets"],
  unit: MetricInstance["unit"],
  help: MetricInstance["help"],
  exemplar: MetricInstance["exemplar"],
) => MetricInstance;

/**
 * Makes an instance of the template metric: a plain object, without the fields that are undefined. A constructor, not a literal that
 * gets these fields later: V8 allocates an array for fields that are added to a literal.
 */
export const FilledMetric = function (
  this: Mutable<MetricInstance>,
  ...[name, type, value, labels, timestampMs, buckets, unit, help, exemplar]: ConstructorParameters<Made>
): void {
  this.name = name;
  this.type = type;
  this.value = value;
  this.labels = labels;
  this.timestampMs = timestampMs;
  if (buckets !== undefined) this.buckets = buckets;
  if (unit !== undefined) this.unit = unit;
  if (help !== undefined) this.help = help;
  if (exemplar !== undefined) this.exemplar = exemplar;
} as unknown as Made;
FilledMetric.prototype = Object.prototype;
