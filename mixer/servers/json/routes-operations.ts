// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  GET_CONFIG,
  GET_HANDLERS,
  GET_METRICS,
  GET_READY,
} from "../../../api/json/operations/mixer-operations.ts";
import type { HandlerListing } from "../../../api/mixer-status.ts";
import { PurserError } from "../../../kernel/errors.ts";
import { Readable } from "node:stream";
import { CONTENT_TYPES, formatFor } from "../../../core/exposition/formats.ts";
import { addHealthRoutes } from "../../../server/http/operation-routes.ts";
import type { SurfaceRouter } from "../../../server/http/surface-router.ts";
import type { Mixer } from "../../mixer.ts";

/** Health, metrics and configuration, for operators and orchestrators. */
export function addOperationRoutes(router: SurfaceRouter, mixer: Mixer, isDraining: () => boolean): void {
  addHealthRoutes(router, GET_READY, isDraining, () =>
    mixer.ready
      ? { rejection: mixer.rejection?.diagnostics }
      : new PurserError("PURSER_MIXER_UNAVAILABLE", "the mixer has no documents yet"),
  );
  router.serve(GET_METRICS, async (context) => {
    const format = formatFor(context.get("accept"));
    context.set("Content-Type", CONTENT_TYPES[format]);
    context.set("Vary", "Accept");
    // Parts are bytes or text of some kilobytes: the stream asks for the next when a few of them wait for the client.
    context.body = Readable.from(await mixer.exposition(format), { highWaterMark: 2 });
  });
  router.serve(GET_CONFIG, async (context) => {
    context.body = await mixer.status();
  });
  router.serve(GET_HANDLERS, async (context) => {
    context.body = { handlers: await mixer.handlers() } satisfies HandlerListing;
  });
}
