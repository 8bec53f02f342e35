// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ReplayReport } from "../../core/replay/replay.ts";
import { CHANGES } from "../../core/replay/change-names.ts";

/** Values of `--fail-on`. */
export const FINDINGS = [...CHANGES, "quota-refusals", "new-series", "unreliable"] as const;

export type FindingName = (typeof FINDINGS)[number];

/** The findings in `wanted` that the report has. */
export function findingsIn(report: ReplayReport, wanted: readonly FindingName[]): readonly FindingName[] {
  return wanted.filter((name) => {
    switch (name) {
      case "quota-refusals":
        return report.quotas.some(
          ({ mode, refused, refusedBefore }) =>
            mode === "enforce" && refused.estimated > refusedBefore.estimated,
        );
      case "new-series":
        return report.series.some(({ added = 0 }) => added > 0);
      case "unreliable":
        return report.unreliable.length > 0;
      default:
        return report.changes.some(({ change, observed }) => change === name && observed > 0);
    }
  });
}
