// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import {
  decodeJournalEntry,
  decodeState,
  type IdentityState,
  type JournalEntry,
  STATE_VERSION,
  type StateStore,
} from "./state.ts";

const STATE_FILE = "identity.json";
const JOURNAL_FILE = "issued.jsonl";
/** The operator's key, for the commands of purser identity. */
export const OPERATOR_KEY_FILE = "operator.key";

/** Only this user may read the authority's key. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/**
 * The state in a folder: `identity.json` with the keys, and `issued.jsonl` with a line for each certificate. Files are
 * replaced, never written over.
 */
export class FolderStore implements StateStore {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder, if there is none. @throws {PurserError} PURSER_IDENTITY_STATE. */
  static async open(folder: string): Promise<FolderStore> {
    await attempt("make", folder, async () => {
      await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
      await chmod(folder, FOLDER_MODE);
    });
    return new FolderStore(folder);
  }

  async load(): Promise<IdentityState | undefined> {
    const text = await this.#read(STATE_FILE);
    if (text === undefined) return undefined;
    const state = parse(text, STATE_FILE);
    const version = (state as { readonly version?: unknown } | null)?.version;
    if (version !== STATE_VERSION)
      throw new PurserError(
        "PURSER_IDENTITY_STATE",
        `${join(this.#folder, STATE_FILE)} has the version ${JSON.stringify(version)}; this program knows ${STATE_VERSION}`,
      );
    return decodeState(state);
  }

  save(state: IdentityState): Promise<void> {
    return this.#replace(STATE_FILE, `${JSON.stringify(state, undefined, 1)}\n`);
  }

  async loadJournal(): Promise<readonly JournalEntry[] | undefined> {
    const text = await this.#read(JOURNAL_FILE);
    if (text === undefined) return undefined;
    const lines = text.split("\n");
    // A crash may have cut the last line: its certificate was never sent, because the line is written first.
    lines.pop();
    return lines.map((line) => decodeJournalEntry(parse(line, JOURNAL_FILE)));
  }

  async appendJournal(entry: JournalEntry): Promise<void> {
    const path = join(this.#folder, JOURNAL_FILE);
    await attempt("write", path, async () => {
      const file = await open(path, "a", FILE_MODE);
      try {
        const { size } = await file.stat();
        try {
          await file.appendFile(lineOf(entry));
        } catch (error) {
          // A full disk may have taken a part of the line, which the next line would go on.
          await file.truncate(size);
          throw error;
        }
      } finally {
        await file.close();
      }
    });
  }

  saveJournal(entries: readonly JournalEntry[]): Promise<void> {
    return this.#replace(JOURNAL_FILE, entries.map(lineOf).join(""));
  }

  /**
   * The operator's key, made at its first use: 32 random bytes in base64url.
   *
   * @throws {PurserError} PURSER_IDENTITY_STATE.
   */
  async operatorKey(): Promise<string> {
    const known = (await this.#read(OPERATOR_KEY_FILE))?.trim();
    if (known !== undefined && known.length >= MIN_OPERATOR_KEY_LENGTH) return known;
    const key = randomBytes(32).toString("base64url");
    await this.#replace(OPERATOR_KEY_FILE, `${key}\n`);
    return key;
  }

  async #read(name: string): Promise<string | undefined> {
    const path = join(this.#folder, name);
    return attempt("read", path, async () => {
      try {
        return await readFile(path, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    });
  }

  /** Writes another file, flushes it to the disk, and gives it the name: a crash leaves the old file or the new one. */
  async #replace(name: string, text: string): Promise<void> {
    const path = join(this.#folder, name);
    const next = `${path}.${randomBytes(6).toString("hex")}.tmp`;
    await attempt("write", path, async () => {
      try {
        const file = await open(next, "wx", FILE_MODE);
        try {
          await file.writeFile(text);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(next, path);
      } catch (error) {
        await rm(next, { force: true });
        throw error;
      }
      const folder = await open(this.#folder, "r");
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    });
  }
}

const MIN_OPERATOR_KEY_LENGTH = 32;

function lineOf(entry: JournalEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's message may quote the text, which has keys.
    throw new PurserError("PURSER_IDENTITY_STATE", `${name} is not JSON`);
  }
}

async function attempt<T>(what: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = `the identity service cannot ${what} ${path}: ${messageOf(error)}`;
    throw new PurserError("PURSER_IDENTITY_STATE", message, { cause: error });
  }
}
