// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type CheckAnswer, defineAdapter, durationMs, OK } from "../../plugins/sdk/index.ts";
import { Access } from "./access.ts";
import { CONFIG } from "./config.ts";
import { DecisionCounts } from "./decision-counts.ts";

/** Permits actions by roles and their bindings; whatever no role permits is refused. */
export const rbac = defineAdapter({
  name: "rbac",
  description: "Permits actions to subjects by roles and bindings in the document, and refuses all others.",
  templates: ["authorization"],
  confined: true,
  config: CONFIG,
  check: (config) => new Access(config).faults,
  build({ config, handler, logger }) {
    const { mode, status } = config;
    const access = new Access(config);
    const counts = new DecisionCounts(handler, mode);
    const validity = {
      validDurationMs: durationMs(config.validDuration),
      validUseCount: config.validUseCount,
    };
    const allowed: CheckAnswer = { status: OK, ...validity };
    const refused: CheckAnswer =
      mode === "enforced"
        ? { status, ...validity }
        : {
            status: { code: "OK", message: `permissive, else ${status.code}: ${status.message}` },
            ...validity,
          };
    return {
      authorization(instance) {
        const role = access.roleFor(instance);
        counts.count(role !== undefined);
        if (role !== undefined) return allowed;
        logger.debug("no role permits an action", { instance: instance.name, mode });
        return refused;
      },
      exposition: () => counts.text(),
      close() {},
    };
  },
});
