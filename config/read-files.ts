// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import type { Dirent, Stats } from "node:fs";
import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { DocumentFile } from "../core/documents/yaml/read-yaml.ts";
import type { ErrorCode } from "../core/kernel/error-catalog.ts";
import type { Diagnostic } from "../core/kernel/diagnostic.ts";
import { messageOf } from "../core/kernel/errors.ts";

export interface SizeLimits {
  /** Of all files together. */
  readonly maxConfigBytes: number;
  readonly maxFileBytes: number;
}

/** Kubernetes' and etcd's objects end at 1 to 1.5 MiB; ten thousand policies take about 4 MiB. */
export const DEFAULT_SIZE_LIMITS: SizeLimits = {
  maxConfigBytes: 16 * 1024 * 1024,
  maxFileBytes: 8 * 1024 * 1024,
};

export interface FileSet {
  /** In document order: the paths as given; in each folder, files by name. */
  readonly files: readonly DocumentFile[];
  readonly diagnostics: readonly Diagnostic[];
  /** Where links among the paths and folders lead: to be watched like the paths themselves. */
  readonly linked: readonly string[];
  /** A digest of names and contents: the same set gives the same version wherever its folder stands. */
  readonly version: string;
}

/** Tries to read a set that does not change meanwhile; after the last one it is taken as it is. */
const MAX_READS = 10;

interface Entry {
  /** As diagnostics show it. */
  readonly path: string;
  /** Below the path that was given. */
  readonly name: string;
  readonly stats: Stats;
}

/**
 * Reads the YAML files among `paths`, and in the folders among them. Files and folders whose names begin with a dot are
 * passed over, unless they are given themselves. A set that changes while it is read is read again.
 */
export async function readFiles(paths: readonly string[], limits: SizeLimits): Promise<FileSet> {
  let before = await listEntries(paths);
  for (let reads = 1; ; reads++) {
    const contents = await readEntries(before.entries, limits);
    const after = await listEntries(paths);
    if (reads >= MAX_READS || fingerprint(after.entries) === fingerprint(before.entries)) {
      const { linked, diagnostics } = before;
      return { ...contents, linked, diagnostics: [...diagnostics, ...contents.diagnostics] };
    }
    before = after;
  }
}

async function readEntries(entries: readonly Entry[], limits: SizeLimits): Promise<Omit<FileSet, "linked">> {
  const files: DocumentFile[] = [];
  const diagnostics: Diagnostic[] = [];
  const hash = createHash("sha256");
  let totalBytes = 0;
  for (const { path, name, stats } of entries) {
    totalBytes += stats.size;
    if (stats.size > limits.maxFileBytes) {
      diagnostics.push(
        fault(
          path,
          "PURSER_DOC_TOO_LARGE",
          `The file has ${stats.size} bytes, more than ${limits.maxFileBytes}`,
        ),
      );
    } else if (totalBytes > limits.maxConfigBytes) {
      const message = `With this file the set has more than ${limits.maxConfigBytes} bytes`;
      return {
        files,
        diagnostics: [...diagnostics, fault(path, "PURSER_DOC_TOO_LARGE", message)],
        version: "",
      };
    } else {
      try {
        const bytes = await readFile(path);
        hash.update(JSON.stringify([name, bytes.length])).update(bytes);
        files.push({ path, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) });
      } catch (error) {
        const message = error instanceof TypeError ? "The file is not UTF-8 text" : messageOf(error);
        diagnostics.push(fault(path, "PURSER_DOC_UNREADABLE", message));
      }
    }
  }
  return { files, diagnostics, version: hash.digest("hex").slice(0, VERSION_LENGTH) };
}

/** 64 bits of the digest: as good as unique among the sets that one installation ever has. */
const VERSION_LENGTH = 16;

interface Listing {
  readonly entries: Entry[];
  readonly diagnostics: Diagnostic[];
  readonly linked: string[];
}

async function listEntries(paths: readonly string[]): Promise<Listing> {
  const listing: Listing = { entries: [], diagnostics: [], linked: [] };
  for (const path of paths) await listPath(path, "", [], listing);
  return listing;
}

/**
 * Adds a file, or the YAML files of a folder. Symbolic links are followed: Kubernetes mounts ConfigMaps as links.
 *
 * @param above The folders on the way here, by inode.
 */
async function listPath(
  path: string,
  name: string,
  above: readonly string[],
  listing: Listing,
): Promise<void> {
  try {
    const stats = await stat(path);
    if (stats.isFile()) {
      listing.entries.push({ path, name: name === "" ? basename(path) : name, stats });
      return;
    }
    if (!stats.isDirectory()) throw new Error("This is neither a file nor a folder");
    const folder = `${stats.dev}:${stats.ino}`;
    if (above.includes(folder)) throw new Error("This leads back to a folder above");
    if (await isLink(path)) listing.linked.push(await realpath(path));
    const children = await readdir(path, { withFileTypes: true });
    for (const child of children.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const childPath = join(path, child.name);
      const wanted = isYaml(child.name) || child.isDirectory() || (await isLinkToFolder(child, childPath));
      if (isLeftOut(child.name) || !wanted) continue;
      await listPath(
        childPath,
        name === "" ? child.name : `${name}/${child.name}`,
        [...above, folder],
        listing,
      );
    }
  } catch (error) {
    listing.diagnostics.push(fault(path, "PURSER_DOC_UNREADABLE", messageOf(error)));
  }
}

/** Editors' and Kubernetes' own entries, and the packages that extensions are installed as beside the documents. */
function isLeftOut(name: string): boolean {
  return name.startsWith(".") || name === "node_modules";
}

function isYaml(name: string): boolean {
  return /\.ya?ml$/.test(name);
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path)).isSymbolicLink();
}

async function isLinkToFolder(child: Dirent, path: string): Promise<boolean> {
  if (!child.isSymbolicLink()) return false;
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

function fingerprint(entries: readonly Entry[]): string {
  return JSON.stringify(entries.map(({ path, stats }) => [path, stats.ino, stats.size, stats.mtimeMs]));
}

function fault(file: string, code: ErrorCode, message: string): Diagnostic {
  return { severity: "error", code, location: { file, line: 1, column: 1 }, message };
}
