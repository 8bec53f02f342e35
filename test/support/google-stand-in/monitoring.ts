// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  characters,
  doubleAt,
  type Fields,
  fieldsAt,
  instantAt,
  int64At,
  isFields,
  labelsAt,
  listAt,
  textAt,
} from "./fields.ts";
import { invalid, invalidField, RpcError } from "./status.ts";

/** Limits of cloud.google.com/monitoring/quotas and of the comments in google/monitoring/v3. */
const MAX_SERIES = 200;
const MAX_LABELS = 30;
const MAX_KEY = 100;
const MAX_VALUE = 1024;
const MAX_BUCKETS = 200;
const MAX_DESCRIPTORS = 10_000;
const MIN_SPACING_MS = 5_000;
const MAX_PAST_MS = 25 * 3_600_000;
const MAX_FUTURE_MS = 5 * 60_000;

export interface Descriptor {
  readonly type: string;
  readonly metricKind: string;
  readonly valueType: string;
  readonly unit?: string;
  readonly description?: string;
  readonly labels: readonly { readonly key: string }[];
}

export interface ReceivedPoint {
  /** Absent for a gauge. */
  readonly startMs?: number;
  readonly endMs: number;
  readonly value: Fields;
}

export interface ReceivedSeries {
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly resource: { readonly type: string; readonly labels: Readonly<Record<string, string>> };
  readonly metricKind: string;
  readonly valueType: string;
  readonly points: ReceivedPoint[];
}

interface Offered {
  readonly identity: string;
  readonly series: Omit<ReceivedSeries, "points">;
  readonly point: ReceivedPoint;
  readonly descriptor: Descriptor;
}

/** Points that are kept of one series. */
const KEPT_POINTS = 10_000;

/** Cloud Monitoring v3, as far as metricDescriptors and timeSeries.create go. */
export class Monitoring {
  readonly #nowMs: () => number;
  readonly #descriptors = new Map<string, Descriptor>();
  readonly #series = new Map<string, ReceivedSeries>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get descriptors(): readonly Descriptor[] {
    return [...this.#descriptors.values()];
  }

  get series(): readonly ReceivedSeries[] {
    return [...this.#series.values()];
  }

  createDescriptor(body: unknown): Descriptor {
    const descriptor = descriptorAt(body);
    const known = this.#descriptors.get(descriptor.type);
    return this.#add(known === undefined ? descriptor : extended(known, descriptor));
  }

  descriptor(type: string): Descriptor {
    const found = this.#descriptors.get(type);
    if (found === undefined)
      throw new RpcError("NOT_FOUND", `Could not find descriptor for metric '${type}'.`);
    return found;
  }

  #add(descriptor: Descriptor): Descriptor {
    if (this.#descriptors.size >= MAX_DESCRIPTORS && !this.#descriptors.has(descriptor.type))
      throw new RpcError("RESOURCE_EXHAUSTED", "Your metric descriptor quota has been exhausted.");
    this.#descriptors.set(descriptor.type, descriptor);
    return descriptor;
  }

  /**
   * timeSeries.create. A wrong field refuses the whole call; a point at a wrong time is refused alone.
   *
   * @param spoiled Positions that are refused although nothing is wrong with them.
   */
  createTimeSeries(body: unknown, spoiled: ReadonlySet<number>): Record<string, never> {
    const list = listAt(fieldsAt(body, "body")["timeSeries"], "timeSeries");
    if (list.length === 0) throw invalidField("timeSeries", "it is empty.");
    if (list.length > MAX_SERIES)
      throw invalidField("timeSeries", `more than ${MAX_SERIES} TimeSeries objects in one request.`);
    const offered = list.map((series, index) => this.#offeredAt(series, `timeSeries[${index}]`));
    const identities = new Set<string>();
    for (const [index, { identity }] of offered.entries()) {
      if (identities.has(identity))
        throw invalidField(
          `timeSeries[${index}]`,
          "Duplicate TimeSeries encountered. Only one point per request.",
        );
      identities.add(identity);
    }
    const refused = new Map<string, number[]>();
    for (const [index, one] of offered.entries()) {
      const why = spoiled.has(index) ? INTERNAL : this.#timeFault(one);
      if (why === undefined) this.#write(one);
      else refused.set(why, [...(refused.get(why) ?? []), index]);
    }
    if (refused.size > 0) throw partialError(refused, offered.length);
    return {};
  }

  #offeredAt(value: unknown, path: string): Offered {
    const series = fieldsAt(value, path);
    const metric = fieldsAt(series["metric"], `${path}.metric`);
    const resource = fieldsAt(series["resource"], `${path}.resource`);
    const type = textAt(metric["type"], `${path}.metric.type`);
    const labels = labelsAt(metric["labels"], `${path}.metric.labels`);
    const points = listAt(series["points"], `${path}.points`);
    if (points.length !== 1) throw invalidField(`${path}.points`, "exactly one point is required.");
    const metricKind = textAt(series["metricKind"], `${path}.metricKind`);
    const valueType = textAt(series["valueType"], `${path}.valueType`);
    assertKind(metricKind, valueType);
    const descriptor = this.#descriptorFor(type, metricKind, valueType, labels, path);
    assertLabels(labels, descriptor, path);
    const resourceLabels = labelsAt(resource["labels"], `${path}.resource.labels`);
    const resourceType = textAt(resource["type"], `${path}.resource.type`);
    for (const required of RESOURCE_LABELS[resourceType] ?? ["project_id"])
      if (resourceLabels[required] === undefined)
        throw invalidField(`${path}.resource.labels`, `the label ${required} is required.`);
    const point = pointAt(points[0], metricKind, valueType, `${path}.points[0]`);
    const identity = JSON.stringify([type, sorted(labels), resourceType, sorted(resourceLabels)]);
    return {
      identity,
      series: {
        type,
        labels,
        resource: { type: resourceType, labels: resourceLabels },
        metricKind,
        valueType,
      },
      point,
      descriptor,
    };
  }

  /** The descriptor of a type; a point of an unknown type makes one when it is written. */
  #descriptorFor(
    type: string,
    metricKind: string,
    valueType: string,
    labels: Readonly<Record<string, string>>,
    path: string,
  ): Descriptor {
    const known = this.#descriptors.get(type);
    if (known === undefined) {
      const keys = Object.keys(labels).map((key) => ({ key, valueType: "STRING" }));
      return descriptorAt({ type, metricKind, valueType, labels: keys });
    }
    if (known.metricKind !== metricKind)
      throw invalidField(`${path}.metricKind`, `the metric kind of ${type} is ${known.metricKind}.`);
    if (known.valueType !== valueType)
      throw invalidField(`${path}.valueType`, `the value type of ${type} is ${known.valueType}.`);
    return known;
  }

  /** Why a point's time does not fit its series. */
  #timeFault({ identity, point }: Offered): string | undefined {
    const nowMs = this.#nowMs();
    if (point.endMs > nowMs + MAX_FUTURE_MS) return FUTURE;
    if (point.endMs < nowMs - MAX_PAST_MS) return PAST;
    const last = this.#series.get(identity)?.points.at(-1);
    if (last === undefined) return undefined;
    if (point.endMs <= last.endMs) return ORDER;
    if (point.endMs - last.endMs < MIN_SPACING_MS) return FREQUENCY;
    if (point.startMs === undefined || last.startMs === undefined || point.startMs === last.startMs)
      return undefined;
    return point.startMs > last.endMs ? undefined : START;
  }

  #write({ identity, series, point, descriptor }: Offered): void {
    if (!this.#descriptors.has(series.type)) this.#add(descriptor);
    let received = this.#series.get(identity);
    if (received === undefined) this.#series.set(identity, (received = { ...series, points: [] }));
    received.points.push(point);
    if (received.points.length > KEPT_POINTS) received.points.shift();
  }
}

const FUTURE = "Data points cannot be written more than 5 minutes in the future";
const PAST = "Data points cannot be written more than 25 hours in the past";
const ORDER =
  "Points must be written in order. One or more of the points specified had an older end time than the most recent point";
const START =
  "Points must be written in order. One or more of the points specified had an older start time than the most recent point";
const FREQUENCY =
  "One or more points were written more frequently than the maximum sampling period configured for the metric";
const INTERNAL = "Internal error encountered. Please retry after a few seconds";

/** Reasons for which a point is refused by its time relative to other points of its series. */
export const TIMING_REASONS: readonly string[] = [ORDER, START, FREQUENCY];

function partialError(refused: ReadonlyMap<string, readonly number[]>, total: number): RpcError {
  const parts = [...refused].map(([why, positions]) => `${why}.: timeSeries[${positions.join(",")}]`);
  const failed = [...refused.values()].reduce((sum, positions) => sum + positions.length, 0);
  const internal = [...refused.keys()].every((why) => why === INTERNAL);
  const summary = {
    "@type": "type.googleapis.com/google.monitoring.v3.CreateTimeSeriesSummary",
    totalPointCount: total,
    ...(total === failed ? {} : { successPointCount: total - failed }),
    errors: [...refused].map(([why, positions]) => ({
      status: { code: why === INTERNAL ? 13 : 3 },
      pointCount: positions.length,
    })),
  };
  const message = `One or more TimeSeries could not be written: ${parts.join("; ")}`;
  return new RpcError(internal ? "INTERNAL" : "INVALID_ARGUMENT", message, [summary]);
}

/** Labels that a resource must have (cloud.google.com/monitoring/api/resources). */
const RESOURCE_LABELS: Readonly<Record<string, readonly string[]>> = {
  global: ["project_id"],
  generic_task: ["project_id", "location", "namespace", "job", "task_id"],
  generic_node: ["project_id", "location", "namespace", "node_id"],
};

function assertKind(metricKind: string, valueType: string): void {
  if (!["GAUGE", "CUMULATIVE"].includes(metricKind))
    throw invalid(`the metric kind ${metricKind} is not supported.`);
  if (!["INT64", "DOUBLE", "BOOL", "DISTRIBUTION"].includes(valueType))
    throw invalid(`the value type ${valueType} is not supported.`);
}

/** A descriptor within the limits. */
function descriptorAt(body: unknown): Descriptor {
  const fields = fieldsAt(body, "metricDescriptor");
  const type = textAt(fields["type"], "metricDescriptor.type");
  if (!/^[a-z0-9.-]+\.googleapis\.com\/[A-Za-z0-9_./]+$/.test(type) || type.length > 200)
    throw invalidField("metricDescriptor.type", `"${type}" is not a metric type.`);
  const labels = listAt(fields["labels"] ?? [], "metricDescriptor.labels").map((label, index) =>
    labelDescriptorAt(label, `metricDescriptor.labels[${index}]`),
  );
  if (labels.length > MAX_LABELS)
    throw invalidField("metricDescriptor.labels", `more than ${MAX_LABELS} labels.`);
  if (new Set(labels.map(({ key }) => key)).size < labels.length)
    throw invalidField("metricDescriptor.labels", "a key is repeated.");
  const metricKind = textAt(fields["metricKind"], "metricDescriptor.metricKind");
  const valueType = textAt(fields["valueType"], "metricDescriptor.valueType");
  assertKind(metricKind, valueType);
  return { ...(fields as unknown as Descriptor), type, metricKind, valueType, labels };
}

/** Labels may be added to a descriptor; nothing else of it may change. */
function extended(known: Descriptor, { metricKind, valueType, labels }: Descriptor): Descriptor {
  if (known.metricKind !== metricKind || known.valueType !== valueType)
    throw invalidField(
      "metricDescriptor",
      `the metric ${known.type} exists with another kind or value type.`,
    );
  const added = labels.filter(({ key }) => known.labels.every((label) => label.key !== key));
  if (added.length === 0) throw new RpcError("ALREADY_EXISTS", `The metric ${known.type} already exists.`);
  if (known.labels.length + added.length > MAX_LABELS)
    throw invalidField("metricDescriptor.labels", `more than ${MAX_LABELS} labels.`);
  return { ...known, labels: [...known.labels, ...added] };
}

function labelDescriptorAt(value: unknown, path: string): { readonly key: string } {
  const key = textAt(fieldsAt(value, path)["key"], `${path}.key`);
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(key)) throw invalidField(`${path}.key`, `"${key}" is not a label key.`);
  if (key.length > MAX_KEY) throw invalidField(`${path}.key`, `longer than ${MAX_KEY} characters.`);
  return { key };
}

function assertLabels(
  labels: Readonly<Record<string, string>>,
  { type, labels: known }: Descriptor,
  path: string,
) {
  for (const [key, value] of Object.entries(labels)) {
    const at = `${path}.metric.labels[${key}]`;
    if (known.every((label) => label.key !== key))
      throw invalidField(at, `the metric ${type} has no such label.`);
    if (characters(value) > MAX_VALUE) throw invalidField(at, `longer than ${MAX_VALUE} characters.`);
  }
}

function pointAt(value: unknown, metricKind: string, valueType: string, path: string): ReceivedPoint {
  const point = fieldsAt(value, path);
  const interval = fieldsAt(point["interval"], `${path}.interval`);
  const endMs = instantAt(interval["endTime"], `${path}.interval.endTime`);
  const stated = interval["startTime"];
  const startMs = stated === undefined ? undefined : instantAt(stated, `${path}.interval.startTime`);
  if (metricKind === "CUMULATIVE" && (startMs === undefined || startMs >= endMs))
    throw invalidField(
      `${path}.interval`,
      "the start time of a cumulative point must be before its end time.",
    );
  if (metricKind === "GAUGE" && startMs !== undefined && startMs !== endMs)
    throw invalidField(`${path}.interval`, "the start time of a gauge must equal its end time.");
  const typed = fieldsAt(point["value"], `${path}.value`);
  assertValue(typed, valueType, `${path}.value`);
  const isGauge = metricKind === "GAUGE" || startMs === undefined;
  return isGauge ? { endMs, value: typed } : { startMs, endMs, value: typed };
}

const VALUE_FIELDS: Readonly<Record<string, string>> = {
  INT64: "int64Value",
  DOUBLE: "doubleValue",
  BOOL: "boolValue",
  DISTRIBUTION: "distributionValue",
};

function assertValue(value: Fields, valueType: string, path: string): void {
  const field = VALUE_FIELDS[valueType] as string;
  if (Object.keys(value).join() !== field) throw invalidField(path, `the value type is ${valueType}.`);
  if (valueType === "INT64") int64At(value[field], `${path}.${field}`);
  if (valueType === "DOUBLE") doubleAt(value[field], `${path}.${field}`);
  if (valueType === "DISTRIBUTION")
    assertDistribution(fieldsAt(value[field], `${path}.${field}`), `${path}.${field}`);
}

function assertDistribution(value: Fields, path: string): void {
  const count = int64At(value["count"], `${path}.count`);
  doubleAt(value["mean"] ?? 0, `${path}.mean`);
  if (doubleAt(value["sumOfSquaredDeviation"] ?? 0, `${path}.sumOfSquaredDeviation`) < 0)
    throw invalidField(`${path}.sumOfSquaredDeviation`, "it is negative.");
  const options = fieldsAt(value["bucketOptions"], `${path}.bucketOptions`)["explicitBuckets"];
  const bounds = isFields(options) ? listAt(options["bounds"], `${path}.bounds`) : [];
  const numbers = bounds.map((bound, index) => doubleAt(bound, `${path}.bounds[${index}]`));
  if (numbers.some((bound, index) => index > 0 && bound <= (numbers[index - 1] as number)))
    throw invalidField(`${path}.bounds`, "the bounds do not ascend.");
  if (numbers.length + 1 > MAX_BUCKETS)
    throw invalidField(`${path}.bounds`, `more than ${MAX_BUCKETS} buckets.`);
  const counts = listAt(value["bucketCounts"], `${path}.bucketCounts`).map((one) =>
    int64At(one, `${path}.bucketCounts`),
  );
  if (counts.length > numbers.length + 1)
    throw invalidField(`${path}.bucketCounts`, "more counts than buckets.");
  if (counts.reduce((sum, one) => sum + one, 0n) !== count)
    throw invalidField(`${path}.bucketCounts`, "their sum is not the count.");
}

/** Labels in one order; an empty label is an absent one. */
function sorted(labels: Readonly<Record<string, string>>): unknown {
  return Object.entries(labels)
    .filter(([, value]) => value !== "")
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}
