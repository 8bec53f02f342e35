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
    default: 2000,
    minimum: 1,
    maximum: 1_000_000,
    description:
      "Most series of one metric; further label sets are counted in one series whose labels are all _overflow.",
  }),
  expireAfter: Type.Optional(
    Duration(
      "Forget a series that received no report for this long; never by default. A counter that comes back starts at 0, " +
        "which rate() understands; choose several times the scrape interval.",
    ),
  ),
});
