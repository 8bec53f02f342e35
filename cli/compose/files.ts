// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { watch } from "chokidar";
import type { Files } from "../../core/hooks/extension.ts";
import type { SpoolFiles } from "../../delivery/spool/spool-files.ts";
import { SpoolFolder } from "../../mixer/runtime/handlers/spool-folder.ts";

/** The folder of a handler's spool, relative to the document that configures the handler. */
export function spoolBeside(documentFile: string, path: readonly string[]): SpoolFiles {
  return new SpoolFolder(resolve(dirname(documentFile), ...path));
}

/** Bound on a handler's file, which is a list or a template, not a data set. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Interval at which a watched file is looked at without an event: the update of a mounted Kubernetes Secret replaces a
 * link above the file, which the file's own watch does not see, and network file systems report no changes.
 */
const POLL_MS = 2_000;

/** Differs between two contents of a path, whether the file was changed or another took its place. */
function stateOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(" ");
}

/** Files that a handler's configuration names, relative to the document that configures it. */
export function filesBeside(documentFile: string): Files {
  return filesIn(dirname(documentFile));
}

/** Files by their paths, which are relative to `folder`. */
export function filesIn(folder: string): Files {
  return {
    watch(path, listener, onError) {
      const file = resolve(folder, path);
      let stopped = false;
      let lastText: string | undefined;
      let lastState = "";
      let turn = 0;
      const read = async (): Promise<void> => {
        const mine = ++turn;
        try {
          const stats = await stat(file);
          const { size } = stats;
          if (mine === turn) lastState = stateOf(stats);
          if (size > MAX_BYTES) throw new Error(`${file} has ${size} bytes; the limit is ${MAX_BYTES} bytes`);
          const text = await readFile(file, "utf8");
          // Ignore the text if a later reading has begun or the watch has ended.
          if (stopped || mine !== turn || text === lastText) return;
          lastText = text;
          listener(text);
        } catch (error) {
          if (stopped || mine !== turn) return;
          lastText = undefined;
          lastState = "";
          onError(error as Error);
        }
      };
      const readIfChanged = async (): Promise<void> => {
        const state = await stat(file).then(stateOf, () => "");
        if (state !== lastState) await read();
      };
      const watcher = watch(file, {
        ignoreInitial: true,
        awaitWriteFinish: { stabilityThreshold: 50, pollInterval: 20 },
      });
      watcher.on("all", () => void read());
      watcher.on("error", (error) => onError(error as Error));
      const poll = setInterval(() => void readIfChanged(), POLL_MS).unref();
      void read();
      return () => {
        stopped = true;
        clearInterval(poll);
        void watcher.close();
      };
    },
  };
}
