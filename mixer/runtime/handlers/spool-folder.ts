// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  utimes,
  writeFile,
} from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { SpoolFiles } from "../../../delivery/spool/spool-files.ts";

const LOCK = "lock";

/** Interval at which the lock of a used folder is renewed, and the age from which a lock counts as left behind. */
const LOCK_RENEWAL_MS = 5_000;
const LOCK_STALE_MS = 20_000;

/** Spool folders that this process uses, with the promise of their release: a reloaded handler waits for its predecessor. */
const inUse = new Map<string, Promise<void>>();

/**
 * A spool's folder on a real disk. A lock file keeps other processes out, on other machines too: its modification time is renewed
 * while the folder is used, and a lock that nobody renews is taken over.
 */
export class SpoolFolder implements SpoolFiles {
  readonly #path: string;
  /** The content of the lock file while it is this object's. */
  readonly #owner = JSON.stringify({ host: hostname(), pid: process.pid, id: Math.random() });
  readonly #handles = new Map<string, FileHandle>();
  #release: (() => void) | undefined;
  #renewal: NodeJS.Timeout | undefined;
  /** When the lock was last seen to be this object's, by the wall clock, which goes on while a machine is suspended. */
  #heldAtMs = 0;
  #lost: Error | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<void> {
    while (inUse.has(this.#path)) await inUse.get(this.#path);
    inUse.set(this.#path, new Promise((resolve) => (this.#release = resolve)));
    try {
      await mkdir(this.#path, { recursive: true });
      await this.#lock();
    } catch (error) {
      this.#giveUp();
      throw error;
    }
    this.#renewal = setInterval(() => void this.#renew(), LOCK_RENEWAL_MS).unref();
  }

  async list(): Promise<readonly string[]> {
    return await readdir(this.#path);
  }

  async read(name: string, offset: number, length: number): Promise<Uint8Array> {
    const file = await open(join(this.#path, name), "r");
    try {
      const buffer = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    } finally {
      await file.close();
    }
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    await (await this.#handle(name)).appendFile(bytes);
  }

  async replace(name: string, bytes: Uint8Array): Promise<void> {
    await this.#assertHeld();
    const temporary = join(this.#path, `${name}.new`);
    const file = await open(temporary, "w");
    try {
      await file.writeFile(bytes);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(this.#path, name));
  }

  async sync(name: string): Promise<void> {
    await this.#handles.get(name)?.datasync();
  }

  async remove(name: string): Promise<void> {
    await this.#assertHeld();
    const handle = this.#handles.get(name);
    this.#handles.delete(name);
    await handle?.close();
    await rm(join(this.#path, name), { force: true });
  }

  checksum(bytes: Uint8Array): number {
    return crc32(bytes);
  }

  async close(): Promise<void> {
    clearInterval(this.#renewal);
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    for (const handle of handles) await handle.close().catch(() => {});
    if (this.#release !== undefined && this.#lost === undefined)
      await rm(join(this.#path, LOCK), { force: true }).catch(() => {});
    this.#giveUp();
  }

  /** Few files are appended to at a time: the last segment and the ledger. */
  async #handle(name: string): Promise<FileHandle> {
    await this.#assertHeld();
    const known = this.#handles.get(name);
    if (known !== undefined) return known;
    for (const [other, handle] of this.#handles) {
      if (this.#handles.size < 3) break;
      this.#handles.delete(other);
      await handle.datasync();
      await handle.close();
    }
    const handle = await open(join(this.#path, name), "a");
    this.#handles.set(name, handle);
    return handle;
  }

  async #lock(): Promise<void> {
    const file = join(this.#path, LOCK);
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        await writeFile(file, this.#owner, { flag: "wx" });
        this.#heldAtMs = Date.now();
        this.#lost = undefined;
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        await removeStale(file);
      }
    }
    throw new Error(`${file} is taken by another process`);
  }

  /** @throws when another process has the folder, or has had it. */
  async #assertHeld(): Promise<void> {
    // After a pause of this process, its writes may come before the renewal that would notice.
    if (Math.abs(Date.now() - this.#heldAtMs) > LOCK_STALE_MS / 2) await this.#renew();
    if (this.#lost !== undefined) throw this.#lost;
  }

  async #renew(): Promise<void> {
    const file = join(this.#path, LOCK);
    try {
      const owner = await readFile(file, "utf8");
      if (owner === this.#owner) {
        await utimes(file, new Date(), new Date());
        this.#heldAtMs = Date.now();
      } else this.#lost ??= new Error(`another process took the folder ${this.#path}: ${owner}`);
    } catch (error) {
      // Whoever took the folder has left it: the files are not those that this process knows.
      if ((error as NodeJS.ErrnoException).code === "ENOENT")
        this.#lost ??= new Error(`the lock ${file} is gone: another process may have used the folder`);
      // A disk that cannot be read now may be read again at the next renewal.
    }
  }

  #giveUp(): void {
    if (this.#release === undefined) return;
    inUse.delete(this.#path);
    this.#release();
    this.#release = undefined;
  }
}

/** Removes a lock whose process is gone. @throws when its process may live. */
async function removeStale(file: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(file, "r");
  } catch {
    // Removed meanwhile.
    return;
  }
  try {
    const text = await handle.readFile("utf8");
    const { mtimeMs } = await handle.stat();
    if (!isStale(text, mtimeMs)) throw new Error(`the folder is in use: ${file} names ${text}`);
  } finally {
    await handle.close();
  }
  await rm(file, { force: true });
}

function isStale(text: string, mtimeMs: number): boolean {
  if (Math.abs(Date.now() - mtimeMs) > LOCK_STALE_MS) return true;
  try {
    const { host, pid } = JSON.parse(text) as { readonly host: unknown; readonly pid: unknown };
    // In a container that was restarted, the earlier process had this one's number.
    return host === hostname() && typeof pid === "number" && (pid === process.pid || !isAlive(pid));
  } catch {
    // A process is just writing it, or was killed while it did: the age decides.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
