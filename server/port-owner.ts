// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";

/** Most open files that are looked at: a host with more takes seconds, and the answer is only a help. */
const MAX_FILES = 200_000;

/** Longest shown word of a command line, in UTF-16 units. */
const MAX_WORD_LENGTH = 80;

/** The state of a listening socket in /proc/net/tcp (TCP_LISTEN of Linux's tcp_states.h). */
const LISTENING = "0A";

/** A process with a listening socket. */
export interface PortOwner {
  readonly pid: number;
  /** The program and, where it is not an option, its first argument, as in `node server.js`. Further arguments may be secrets. */
  readonly command: string;
}

/**
 * The process that listens on a TCP port of this host, by Linux's /proc. Undefined on other systems, and when the process is
 * another user's or in another namespace. Never rejects.
 */
export async function portOwner(port: number): Promise<PortOwner | undefined> {
  const tables = await Promise.all(["tcp", "tcp6"].map((name) => textOf(`/proc/net/${name}`)));
  const sockets = new Set(
    tables.flatMap((table) => inodesOf(table, port)).map((inode) => `socket:[${inode}]`),
  );
  if (sockets.size === 0) return undefined;
  const pids = (await namesIn("/proc")).filter((name) => /^\d+$/.test(name));
  let files = 0;
  for (const pid of pids) {
    const folder = `/proc/${pid}/fd`;
    for (const file of await namesIn(folder)) {
      if (++files > MAX_FILES) return undefined;
      const target = await readlink(`${folder}/${file}`).catch(() => "");
      if (sockets.has(target)) return { pid: Number(pid), command: await commandOf(pid) };
    }
  }
  return undefined;
}

/** The inodes of the sockets that listen on a port, in a table of proc_net_tcp(5). */
export function inodesOf(table: string, port: number): readonly string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === LISTENING && local.endsWith(suffix) && inode !== undefined ? [inode] : [];
  });
}

async function commandOf(pid: string): Promise<string> {
  const [program = "", argument = ""] = (await textOf(`/proc/${pid}/cmdline`)).split("\0");
  const words = [basename(program), ...(argument === "" || argument.startsWith("-") ? [] : [argument])];
  return words.map((word) => word.slice(0, MAX_WORD_LENGTH).replaceAll(/[^\x20-\x7e]/g, "?")).join(" ");
}

function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
