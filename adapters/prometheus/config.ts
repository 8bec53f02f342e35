// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Duration, Type } from "../../plugins/sdk/index.ts";

export const CONFIG = Type.Object({
  prefix: Type.String({
    default: "",
    pattern: "^([a-zA-Z_:][a-zA-Z0-9_:]*)?$",
    description: "Prefix of every metric name, such as mesh_; empty by default.",
  }),
  maxSeries: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description:
      "Most series of one metric; further label sets are counted in one series whose labels are all _overflow.",
  }),
  nativeHistograms: Type.Boolean({
    default: false,
    description:
      "Keep exponential buckets, too, for every histogram: Prometheus reads them in the protobuf format, instead of the buckets of the document. A series takes up to 160 buckets more.",
  }),
  exemplars: Type.Boolean({
    default: true,
    description:
      "Keep the trace and span of one sampled request a second for each counter and each bucket; OpenMetrics and protobuf show them.",
  }),
  createdSamples: Type.Boolean({
    default: false,
    description:
      "Write when each series began as a sample of its own in OpenMetrics, NAME_created: Prometheus stores it as a further series. The protobuf format always has the time.",
  }),
  expireAfter: Type.Optional(
    Duration(
      "Forget a series that received no report for this long; never by default. A counter that comes back starts at 0, " +
        "which rate() understands; choose several times the scrape interval.",
    ),
  ),
});
