// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AdapterDefinition, ExtensionContext, PluginDefinition } from "../../../core/hooks/extension.ts";
import { fillConfig } from "../config.ts";
import { createHttpClient, type OwnedHttpClient } from "../http/client.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { type CollectingLogger, createCollectingLogger } from "./logger.ts";
import { createMemoryFiles, type MemoryFiles } from "./memory-files.ts";
import { createSeededRandom } from "./seeded-random.ts";
import { createVirtualTime, type TestTime, type VirtualTime } from "./time.ts";

/** An ExtensionContext made of fakes, which the test can reach. */
export interface TestContext<Config, Time extends TestTime = VirtualTime> extends ExtensionContext<Config> {
  readonly logger: CollectingLogger;
  readonly files: MemoryFiles;
  readonly time: Time;
  /** A real client; the test closes it after the handler, as the host does. */
  readonly http: OwnedHttpClient;
}

export interface TestContextOptions<Time extends TestTime = VirtualTime> {
  /** The handler's name; default `test`. */
  readonly handler?: string;
  /** Default: virtual time. */
  readonly time?: Time;
  readonly files?: MemoryFiles;
}

/**
 * The context that the host would give a handler with this configuration: checked, defaults filled in,
 * frozen.
 *
 * @throws TypeError naming each fault when `config` does not satisfy the definition's schema.
 */
export function createTestContext<Config, Time extends TestTime = VirtualTime>(
  definition: AdapterDefinition<Config> | PluginDefinition<Config>,
  config: Readonly<Record<string, unknown>> = {},
  options: TestContextOptions<Time> = {},
): TestContext<Config, Time> {
  const filled = fillConfig(definition.config, config);
  if (filled.faults.length > 0) {
    const faults = filled.faults.map((fault) => fault.message).join("; ");
    throw new TypeError(`the configuration of "${definition.name}" is not valid: ${faults}`);
  }
  const time = options.time ?? (createVirtualTime() as TestTime as Time);
  return {
    handler: options.handler ?? "test",
    // Snapshots are immutable: a handler that changes its configuration must fail its tests.
    config: deepFreeze(filled.config) as Config,
    logger: createCollectingLogger(),
    clock: time.clock,
    random: createSeededRandom(),
    scheduler: time.scheduler,
    files: options.files ?? createMemoryFiles(),
    http: createHttpClient(time.clock),
    time,
  };
}
