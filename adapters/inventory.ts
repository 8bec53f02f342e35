// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { decisionLog } from "./decision-log/index.ts";
import { file } from "./file/index.ts";
import { fluentd } from "./fluentd/index.ts";
import { kafka } from "./kafka/index.ts";
import { loki } from "./loki/index.ts";
import { memoryQuota } from "./memory-quota/index.ts";
import { opa } from "./opa/index.ts";
import { opentelemetry } from "./opentelemetry/index.ts";
import { prometheus } from "./prometheus/index.ts";
import { rbac } from "./rbac/index.ts";
import { redisQuota } from "./redis-quota/index.ts";
import { stackdriver } from "./stackdriver/index.ts";
import { statsd } from "./statsd/index.ts";
import { stdout } from "./stdout/index.ts";
import { webhook } from "./webhook/index.ts";
import { zipkin } from "./zipkin/index.ts";
import type { AdapterDefinition } from "../plugins/sdk/index.ts";

/** The bundled adapters. */
export const BUNDLED_ADAPTERS: readonly AdapterDefinition[] = [
  decisionLog,
  file,
  fluentd,
  kafka,
  loki,
  memoryQuota,
  opa,
  opentelemetry,
  prometheus,
  rbac,
  redisQuota,
  stackdriver,
  statsd,
  stdout,
  webhook,
  zipkin,
];
