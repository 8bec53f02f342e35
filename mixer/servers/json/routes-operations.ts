// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import { PurserError } from "../../../kernel/errors.ts";
import { addHealthRoutes, addMetricsRoute } from "../../../server/http/operation-routes.ts";
import type { Mixer } from "../../mixer.ts";

/** Health, metrics and configuration, for operators and orchestrators. */
export function addOperationRoutes(router: Router, mixer: Mixer, isDraining: () => boolean): void {
  addHealthRoutes(router, isDraining, () =>
    mixer.ready
      ? { rejection: mixer.rejection?.diagnostics }
      : new PurserError("PURSER_MIXER_UNAVAILABLE", "the mixer has no documents yet"),
  );
  addMetricsRoute(router, "/metrics", () => mixer.exposition());
  router.get("/v1/config", async (context) => {
    context.body = await mixer.status();
  });
  router.get("/v1/handlers", async (context) => {
    context.body = { handlers: await mixer.handlers() };
  });
}
