// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { Diagnostic } from "../../kernel/diagnostic.ts";
import type { HandlerListing, HandlerStatus, MixerStatus, QueueStatus } from "../mixer-status.ts";
import { SourceLocationSchema } from "./explanation.ts";
import { exactly } from "./schema/exactly.ts";
import { Amount, Code, oneOf, Text, Whole } from "./schema/fields.ts";

/** `GET`: a MixerStatus. */
export const CONFIG_PATH = "/v1/config";
/** `GET`: a HandlerListing. */
export const HANDLERS_PATH = "/v1/handlers";

const Count = Type.Optional(Whole);

const QueueStatusSchema = exactly<QueueStatus>()(
  Type.Object({
    template: Text,
    class: oneOf(["at-most-once", "at-least-once"]),
    accepted: Whole,
    delivered: Whole,
    dropped: Type.Object({
      overflow: Count,
      failed: Count,
      refused: Count,
      closed: Count,
      damaged: Count,
      unwritable: Count,
    }),
    retried: Whole,
    waiting: Whole,
    bytes: Whole,
    oldestMs: Amount,
    breaker: oneOf(["closed", "open", "half-open"]),
    lastError: Type.Optional(Type.Object({ message: Text, time: Text })),
  }),
);

const HandlerStatusSchema = exactly<HandlerStatus>()(
  Type.Object({
    name: Text,
    extension: oneOf(["adapter", "plugin"]),
    of: Text,
    config: Type.Unknown(),
    health: oneOf(["ok", "failing", "unknown"]),
    queues: Type.Array(QueueStatusSchema),
  }),
);

const DiagnosticSchema = exactly<Diagnostic>()(
  Type.Object({
    severity: oneOf(["error", "warning", "note"]),
    code: Code,
    location: SourceLocationSchema,
    end: Type.Optional(Type.Object({ line: Whole, column: Whole })),
    message: Text,
    suggestion: Type.Optional(Text),
  }),
);

export const HandlerListingSchema = exactly<HandlerListing>()(
  Type.Object({ handlers: Type.Array(HandlerStatusSchema) }),
);

export const MixerStatusSchema = exactly<MixerStatus>()(
  Type.Object({
    ready: Type.Boolean(),
    version: Type.Optional(Text),
    appliedAtMs: Type.Optional(Type.Number()),
    rejection: Type.Optional(Type.Object({ atMs: Type.Number(), diagnostics: Type.Array(DiagnosticSchema) })),
    documents: Type.Array(
      Type.Object({ kind: Text, namespace: Text, name: Text, location: SourceLocationSchema }),
    ),
    handlers: Type.Array(HandlerStatusSchema),
    proxies: Amount,
  }),
);
