// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { BUNDLED_ADAPTERS } from "../../adapters/inventory.ts";
import type { ConfigSource } from "../../config/config-source.ts";
import { SetBuilder } from "../../config/build-set.ts";
import { ConfigRejected } from "../../config/config-rejected.ts";
import { builtInManifest } from "../../config/built-in-manifest.ts";
import {
  ANY_DOCUMENT,
  contentsOf,
  faultsOfEmptiness,
  POLICIES,
  type Purpose,
  ROUTES,
} from "../../config/emptiness.ts";
import { createFileSource, type FileSourceOptions } from "../../config/file-source.ts";
import { DEFAULT_SIZE_LIMITS, readFiles } from "../../config/read-files.ts";
import { createJsonataCompiler } from "../../core/expressions/jsonata-engine.ts";
import type { CompileExpression } from "../../core/expressions/expression.ts";
import { createInventory } from "../../core/hooks/inventory.ts";
import { viewOf } from "../../core/documents/schema/form.ts";
import { parseDocuments } from "../../core/documents/parse-documents.ts";
import type { DocumentFile } from "../../core/documents/yaml/read-yaml.ts";
import { buildSnapshot } from "../../core/snapshot/build-snapshot.ts";
import { type Checked, type Diagnostic, formatDiagnostic } from "../../kernel/diagnostic.ts";
import { messageOf } from "../../kernel/errors.ts";
import { documentChanges, shortChange } from "../../core/changes/document-changes.ts";
import type { HandlerDeclaration, Snapshot } from "../../core/snapshot/snapshot.ts";
import { BUNDLED_PLUGINS } from "../../plugins/inventory.ts";
import { systemScheduler } from "./platform.ts";
import type { RunningPart } from "./stopping.ts";
import type { Runtime } from "../../kernel/ports.ts";

/** The expression engine that all parts of this process share. */
export const compileExpression: CompileExpression = createJsonataCompiler({}, () => performance.now());

const INVENTORY = createInventory([...BUNDLED_ADAPTERS, ...BUNDLED_PLUGINS]);

export interface LoadedConfig {
  readonly source: ConfigSource;
  readonly snapshot: Snapshot;
}

/** How documents are read. */
export interface ReadingFlags {
  /** Whether documents of other programs are skipped with a note; default: they are errors. */
  readonly skipForeign?: boolean;
  /** Whether a reference that a registry may yet resolve is an error; default: a warning. */
  readonly strict?: boolean;
}

export interface ConfigFlags extends ReadingFlags {
  readonly config: readonly string[];
  /** Whether a set may be empty for this process; default: an empty set is refused. */
  readonly allowEmpty?: boolean;
}

/**
 * Reads the documents and follows their changes.
 * @param purposes Purposes for which the process needs documents.
 * @throws {ConfigRejected} when the first set has faults or is empty: there is no earlier set to use.
 */
export async function loadConfig(
  { config, allowEmpty = false, skipForeign = false, strict = false }: ConfigFlags,
  purposes: readonly Purpose[],
  runtime: Runtime,
): Promise<LoadedConfig> {
  return load(config, runtime, { watch: true, skipForeign, strict, ...(allowEmpty ? {} : { purposes }) });
}

/**
 * Reads the documents once.
 * @throws {ConfigRejected} when the set has faults or no document.
 */
export async function readConfig(
  paths: readonly string[],
  runtime: Runtime,
  { skipForeign = false }: Pick<ReadingFlags, "skipForeign"> = {},
): Promise<Snapshot> {
  const how = { watch: false, skipForeign, purposes: [ANY_DOCUMENT] };
  const { source, snapshot } = await load(paths, runtime, how);
  await source.close();
  return snapshot;
}

/** Checks and compiles documents that a command has made, as a set of their own. */
export function checkText(file: DocumentFile): Checked<Snapshot> {
  return buildSnapshot({
    files: [parseDocuments(file)],
    version: "",
    builtIn: [builtInManifest()],
    compile: compileExpression,
    inventory: INVENTORY,
  });
}

async function load(
  paths: readonly string[],
  { clock, scheduler, logger }: Runtime,
  how: Pick<FileSourceOptions, "watch" | "purposes" | "skipForeign" | "strict">,
): Promise<LoadedConfig> {
  const options = {
    ...how,
    paths,
    clock,
    scheduler,
    logger,
    compile: compileExpression,
    inventory: INVENTORY,
  };
  const source = createFileSource(options);
  const first = await source.start();
  if (first.ok) return { source, snapshot: first.value };
  await source.close();
  throw new ConfigRejected(first.diagnostics);
}

/** A configuration that was read and checked but not put in force. */
export interface CheckedConfig {
  /** All errors and warnings, in the order of the files. */
  readonly diagnostics: readonly Diagnostic[];
  /** Text of each file, by path. */
  readonly sources: ReadonlyMap<string, string>;
  /** Number of documents, and of different expressions in them. */
  readonly documents: number;
  readonly expressions: number;
  /**
   * Handlers of modules whose extensions have no check of their own: `build` may yet refuse their configuration, which only a
   * mixer calls. Empty when the set has errors.
   */
  readonly checkedBySchemaAlone: readonly HandlerDeclaration[];
}

/** The purposes of a whole mesh, `purser run`. */
export const MESH_PURPOSES: readonly Purpose[] = [POLICIES, ROUTES];

/** Reads the documents once, as `purser run` does, and returns all diagnostics. */
export async function checkConfig(
  paths: readonly string[],
  { allowEmpty = false, skipForeign = false, strict = false }: Omit<ConfigFlags, "config"> = {},
): Promise<CheckedConfig> {
  const seen = new Set<string>();
  const compile: CompileExpression = (source) => {
    seen.add(source);
    return compileExpression(source);
  };
  const builder = new SetBuilder({
    compile,
    inventory: INVENTORY,
    scheduler: systemScheduler,
    skipForeign,
    strict,
  });
  const set = await readFiles(paths, DEFAULT_SIZE_LIMITS);
  const result = await builder.build(set);
  const contents = contentsOf(set, builder.parsedFiles);
  const empty = result.ok && !allowEmpty ? faultsOfEmptiness(contents, paths, MESH_PURPOSES, undefined) : [];
  return {
    diagnostics: result.ok ? [...empty, ...result.warnings] : result.diagnostics,
    sources: new Map(set.files.map(({ path, text }) => [path, text])),
    documents: builder.documentCount,
    expressions: seen.size,
    checkedBySchemaAlone: result.ok ? result.value.handlers.filter(isCheckedBySchemaAlone) : [],
  };
}

/** A schema without fields accepts `{}` alone, which leaves nothing for a check. */
function isCheckedBySchemaAlone({ definition, from }: HandlerDeclaration): boolean {
  if (from === undefined || definition.check !== undefined) return false;
  return Object.keys(viewOf(definition.config).properties ?? {}).length > 0;
}

/** Maximum number of changed documents that a log line names. */
const MAX_CHANGES_LOGGED = 50;

/** Says what a new set changes, and warns of each change by which requests pass that were refused or limited. */
function logChanges(before: Snapshot | undefined, after: Snapshot, logger: Runtime["logger"]): void {
  const changes = documentChanges(before?.documents ?? [], after.documents);
  const more = changes.length - MAX_CHANGES_LOGGED;
  logger.info("a new configuration is in force", {
    version: after.version,
    documents: after.documents.length,
    changes: [
      ...changes.slice(0, MAX_CHANGES_LOGGED).map(shortChange),
      ...(more > 0 ? [`and ${more} more`] : []),
    ],
  });
  for (const change of changes) {
    const { weakening, document } = change;
    if (weakening === undefined) continue;
    const { file, line } = document.location;
    logger.warn(`less is refused: ${weakening}`, {
      document: shortChange(change),
      location: `${file}:${line}`,
    });
  }
}

/**
 * Passes every later set to `take`, one at a time, and logs the outcome. If `take` throws, the error is
 * logged and the last good set stays in force.
 *
 * @returns The part to stop first: no set is passed on after that.
 */
export function followConfig(
  source: ConfigSource,
  take: (snapshot: Snapshot) => Promise<readonly Diagnostic[]>,
  refuse: (diagnostics: readonly Diagnostic[]) => void,
  { logger }: Pick<Runtime, "logger">,
): RunningPart {
  let stopped = false;
  let inForce = source.current;
  let turn: Promise<void> = Promise.resolve();
  const refused = (diagnostics: readonly Diagnostic[]): void => {
    for (const diagnostic of diagnostics) logger.error(formatDiagnostic(diagnostic, { remedy: true }));
    logger.error("the new configuration is refused; the last good one stays in force", {
      faults: diagnostics.length,
    });
    refuse(diagnostics);
  };
  const follow = async (snapshot: Snapshot): Promise<void> => {
    if (stopped) return;
    try {
      const diagnostics = await take(snapshot);
      if (diagnostics.length > 0) refused(diagnostics);
      else {
        logChanges(inForce, snapshot, logger);
        inForce = snapshot;
      }
    } catch (error) {
      logger.error("a new configuration could not be put in force; the last good one stays in force", {
        version: snapshot.version,
        error: messageOf(error),
      });
    }
  };
  const unsubscribe = source.subscribe((snapshot) => {
    turn = turn.then(() => follow(snapshot));
  });
  const stopRefusing = source.onRejected(refused);
  return {
    name: "changes of the configuration",
    close: () => {
      stopped = true;
      unsubscribe();
      stopRefusing();
      return Promise.resolve();
    },
  };
}
