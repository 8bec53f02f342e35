// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { documentsOf, type ParsedDocument, type ParsedFile } from "../core/documents/document.ts";
import { HANDLER, type HandlerSpec } from "../core/documents/kinds/handler.ts";
import { parseDocuments } from "../core/documents/parse-documents.ts";
import type { ModuleExtensions } from "../core/documents/set/handlers.ts";
import type { CompileExpression, CompileResult } from "../core/expressions/expression.ts";
import type { ExtensionInventory } from "../core/hooks/extension.ts";
import type { Checked } from "../kernel/diagnostic.ts";
import type { Scheduler } from "../kernel/ports.ts";
import { buildSnapshot } from "../core/snapshot/build-snapshot.ts";
import type { Snapshot } from "../core/snapshot/snapshot.ts";
import { builtInManifest } from "./built-in-manifest.ts";
import { loadExtensions } from "./extension-loader.ts";
import type { FileSet } from "./read-files.ts";

export interface BuildOptions {
  readonly compile: CompileExpression;
  readonly inventory: ExtensionInventory;
  readonly scheduler: Scheduler;
  /** Whether documents of other programs are skipped with a note; default: they are errors. */
  readonly skipForeign?: boolean;
  /** Whether a reference that a registry may yet resolve is an error; default: a warning. */
  readonly strict?: boolean;
}

/**
 * Builds snapshots from the files of one source. Unchanged files are not parsed again, unchanged expressions
 * not compiled again.
 */
export class SetBuilder {
  readonly #options: BuildOptions;
  readonly #builtIn = [builtInManifest()];
  #parsed: ReadonlyMap<string, { readonly text: string; readonly file: ParsedFile }> = new Map();
  #compiled: ReadonlyMap<string, CompileResult> = new Map();

  constructor(options: BuildOptions) {
    this.#options = options;
  }

  /** Number of documents in the last set, including faulty ones. */
  get documentCount(): number {
    return this.parsedFiles.reduce((sum, { documents }) => sum + documents.length, 0);
  }

  /** The parsed files of the last set, in document order. */
  get parsedFiles(): readonly ParsedFile[] {
    return [...this.#parsed.values()].map(({ file }) => file);
  }

  async build({ files, diagnostics, version }: FileSet): Promise<Checked<Snapshot>> {
    const { inventory, skipForeign = false, strict = false } = this.#options;
    this.#parsed = new Map(
      files.map(({ path, text }) => {
        const known = this.#parsed.get(path);
        return [
          path,
          known?.text === text ? known : { text, file: parseDocuments({ path, text }, { skipForeign }) },
        ];
      }),
    );
    const parsed = this.parsedFiles;
    const modules = await this.#loadModules(parsed.flatMap((file) => file.documents));
    const compiled = new Map<string, CompileResult>();
    const compile = (source: string) => {
      const result = this.#compiled.get(source) ?? this.#options.compile(source);
      compiled.set(source, result);
      return result;
    };
    const snapshot = buildSnapshot({
      files: parsed,
      diagnostics,
      version,
      strict,
      builtIn: this.#builtIn,
      compile,
      inventory,
      extensionsFrom: (document) => modules.get(document) as ModuleExtensions,
    });
    this.#compiled = compiled;
    return snapshot;
  }

  async #loadModules(
    documents: readonly ParsedDocument[],
  ): Promise<ReadonlyMap<ParsedDocument, ModuleExtensions>> {
    const loading = documentsOf(documents, HANDLER).flatMap((document) => {
      const { from } = document.spec as HandlerSpec;
      if (from === undefined) return [];
      const loaded = loadExtensions(from, document.location.file, this.#options.scheduler);
      return [loaded.then((extensions) => [document, extensions] as const)];
    });
    return new Map(await Promise.all(loading));
  }
}
