// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import { PurserError } from "../../../kernel/errors.ts";
import { Readable } from "node:stream";
import { CONTENT_TYPES, formatFor } from "../../../core/exposition/formats.ts";
import { addHealthRoutes } from "../../../server/http/operation-routes.ts";
import type { Mixer } from "../../mixer.ts";

/** Health, metrics and configuration, for operators and orchestrators. */
export function addOperationRoutes(router: Router, mixer: Mixer, isDraining: () => boolean): void {
  addHealthRoutes(router, isDraining, () =>
    mixer.ready
      ? { rejection: mixer.rejection?.diagnostics }
      : new PurserError("PURSER_MIXER_UNAVAILABLE", "the mixer has no documents yet"),
  );
  router.get("/metrics", async (context) => {
    const format = formatFor(context.get("accept"));
    context.set("Content-Type", CONTENT_TYPES[format]);
    context.set("Vary", "Accept");
    // Parts are bytes or text of some kilobytes: the stream asks for the next when a few of them wait for the client.
    context.body = Readable.from(await mixer.exposition(format), { highWaterMark: 2 });
  });
  router.get("/v1/config", async (context) => {
    context.body = await mixer.status();
  });
  router.get("/v1/handlers", async (context) => {
    context.body = { handlers: await mixer.handlers() };
  });
}
