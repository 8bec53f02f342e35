// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SpecFault } from "../../../../kernel/diagnostic.ts";
import type { BackendTargetSpec } from "./fields.ts";

/** A Service is called at a port. @param single Whether `path` is the place of the only backend. */
export function faultsOfBackends(
  backends: readonly BackendTargetSpec[],
  path: readonly (string | number)[],
  single = false,
): readonly SpecFault[] {
  return backends.flatMap((backend, index) =>
    isService(backend) && backend.port === undefined
      ? [
          {
            path: single ? path : [...path, index],
            message: `The Service ${backend.name} needs the field port`,
          },
        ]
      : [],
  );
}

/** Whether the backend is of the one kind that Purser forwards to. */
export function isService({ group = "", kind = "Service" }: BackendTargetSpec): boolean {
  return group === "" && kind === "Service";
}
