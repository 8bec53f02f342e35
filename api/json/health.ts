// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { exactly } from "./schema/exactly.ts";
import { Text, Whole } from "./schema/fields.ts";

/** `GET`: 200 while the process responds. */
export const HEALTH_PATH = "/healthz";
/** `GET`: 200 with a ReadyState when the process can serve requests, otherwise 503. */
export const READY_PATH = "/readyz";

export interface ReadyState {
  readonly status: "ready";
  /** The active version, for surfaces that show it here. */
  readonly version?: string;
  /** The first fault of newer documents that were refused, and the number of faults. */
  readonly rejection?: { readonly first: string; readonly faults: number };
}

export const HealthSchema = Type.Object({ status: Type.Literal("ok") });

export const ReadyStateSchema = exactly<ReadyState>()(
  Type.Object({
    status: Type.Literal("ready"),
    version: Type.Optional(Text),
    rejection: Type.Optional(Type.Object({ first: Text, faults: Whole })),
  }),
);
