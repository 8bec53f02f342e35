// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { BUNDLED_ADAPTERS } from "../adapters/inventory.ts";
import type { ConfigSource } from "../config/config-source.ts";
import { createFileSource } from "../config/file-source.ts";
import { createJsonataCompiler } from "../core/expressions/jsonata-engine.ts";
import type { CompileExpression } from "../core/expressions/expression.ts";
import { createInventory } from "../core/hooks/inventory.ts";
import { type Diagnostic, formatDiagnostic } from "../core/kernel/diagnostic.ts";
import { PurserError } from "../core/kernel/errors.ts";
import type { Snapshot } from "../core/snapshot/snapshot.ts";
import { BUNDLED_PLUGINS } from "../plugins/inventory.ts";
import type { World } from "./world.ts";

/** The one expression engine of this process. */
export const compileExpression: CompileExpression = createJsonataCompiler();

const INVENTORY = createInventory([...BUNDLED_ADAPTERS, ...BUNDLED_PLUGINS]);

export interface LoadedConfig {
  readonly source: ConfigSource;
  readonly snapshot: Snapshot;
}

/**
 * Reads the documents and begins to follow them.
 * @throws {ConfigRejected} when the first set has faults: there is nothing to go on with.
 */
export async function loadConfig(
  paths: readonly string[],
  { clock, scheduler, logger }: World,
): Promise<LoadedConfig> {
  const source = createFileSource({
    paths,
    clock,
    scheduler,
    logger,
    compile: compileExpression,
    inventory: INVENTORY,
  });
  const first = await source.start();
  if (first.ok) return { source, snapshot: first.value };
  await source.close();
  throw new ConfigRejected(first.diagnostics);
}

/** The first configuration had faults; its message is all of them, one a line. */
export class ConfigRejected extends PurserError {
  constructor(diagnostics: readonly Diagnostic[]) {
    const lines = diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, { remedy: true }));
    const noun = diagnostics.length === 1 ? "fault" : "faults";
    super(
      "PURSER_CONFIG_REJECTED",
      `${lines.join("\n")}\n${diagnostics.length} ${noun} in the configuration`,
    );
  }
}

/** Hands every later set to `take`, one after another, and says in the log what became of it. */
export function followConfig(
  source: ConfigSource,
  take: (snapshot: Snapshot) => Promise<readonly Diagnostic[]>,
  refuse: (diagnostics: readonly Diagnostic[]) => void,
  { logger }: World,
): void {
  let turn: Promise<void> = Promise.resolve();
  const refused = (diagnostics: readonly Diagnostic[]): void => {
    for (const diagnostic of diagnostics) logger.error(formatDiagnostic(diagnostic, { remedy: true }));
    logger.error("the new configuration is refused; the last good one goes on", {
      faults: diagnostics.length,
    });
    refuse(diagnostics);
  };
  source.subscribe((snapshot) => {
    turn = turn.then(async () => {
      const diagnostics = await take(snapshot);
      if (diagnostics.length > 0) refused(diagnostics);
      else
        logger.info("a new configuration is in force", {
          version: snapshot.version,
          documents: snapshot.documents.length,
        });
    });
  });
  source.onRejected(refused);
}

/**
 * Reads the documents once, for commands that look at them and end.
 * @throws {ConfigRejected} when the set has faults.
 */
export async function readConfig(
  paths: readonly string[],
  { clock, scheduler, logger }: World,
): Promise<Snapshot> {
  const options = { paths, clock, scheduler, logger, compile: compileExpression, inventory: INVENTORY };
  const source = createFileSource({ ...options, watch: false });
  const first = await source.start();
  await source.close();
  if (first.ok) return first.value;
  throw new ConfigRejected(first.diagnostics);
}
