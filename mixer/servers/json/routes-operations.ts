// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import { briefly } from "../../../kernel/diagnostic.ts";
import { PurserError } from "../../../kernel/errors.ts";
import type { Mixer } from "../../mixer.ts";

/** What people and orchestrators look at. */
export function addOperationRoutes(router: Router, mixer: Mixer, isDraining: () => boolean): void {
  router.get("/healthz", (context) => {
    context.body = { status: "ok" };
  });
  router.get("/readyz", (context) => {
    if (isDraining()) throw new PurserError("PURSER_DRAINING", "the mixer is shutting down");
    if (!mixer.ready) throw new PurserError("PURSER_MIXER_UNAVAILABLE", "the mixer has no documents yet");
    const { rejection } = mixer;
    // Ready all the same: the last good set decides.
    context.body =
      rejection === undefined
        ? { status: "ready" }
        : { status: "ready", rejection: briefly(rejection.diagnostics) };
  });
  router.get("/metrics", async (context) => {
    context.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    context.body = await mixer.exposition();
  });
  router.get("/v1/config", async (context) => {
    context.body = await mixer.status();
  });
}
