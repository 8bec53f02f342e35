// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type CheckAnswer, definePlugin, durationMs, type HeaderChanges, OK } from "../sdk/index.ts";
import { CONFIG } from "./config.ts";
import { compileOperations, faultsOf } from "./operations.ts";

/** Sets, appends and removes headers, with values from the configuration or from a rule's instance. */
export const headerOperations = definePlugin({
  name: "header-operations",
  description: "Sets, appends and removes headers of requests and responses.",
  templates: ["headers", "checknothing"],
  config: CONFIG,
  check: faultsOf,
  build({ config }) {
    const operationsFor = compileOperations(config);
    const validity = {
      validDurationMs: durationMs(config.validDuration),
      validUseCount: config.validUseCount,
    };
    const answer = (headers: HeaderChanges): CheckAnswer => ({ status: OK, ...validity, headers });
    const constant = { name: "", values: {} };
    return {
      apply(hooks) {
        hooks.check
          .for("headers")
          .tap("header-operations", (instance) => answer(operationsFor(instance as typeof constant)));
        hooks.check.for("checknothing").tap("header-operations", () => answer(operationsFor(constant)));
      },
      close() {},
    };
  },
});
