// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import type { Dirent, Stats } from "node:fs";
import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { DocumentFile } from "../core/documents/yaml/read-yaml.ts";
import type { ErrorCode } from "../kernel/error-catalog.ts";
import type { Diagnostic } from "../kernel/diagnostic.ts";
import { messageOf } from "../kernel/errors.ts";

export interface SizeLimits {
  /** Bound on all files together. */
  readonly maxConfigBytes: number;
  readonly maxFileBytes: number;
}

/** Objects of Kubernetes and etcd are limited to 1 to 1.5 MiB; ten thousand policies take about 4 MiB. */
export const DEFAULT_SIZE_LIMITS: SizeLimits = {
  maxConfigBytes: 16 * 1024 * 1024,
  maxFileBytes: 8 * 1024 * 1024,
};

export interface FileSet {
  /** In document order: the paths as given; in each folder, files by name. */
  readonly files: readonly DocumentFile[];
  readonly diagnostics: readonly Diagnostic[];
  /** Symbolic links among the paths, folders and files, each with the path that it leads to. */
  readonly links: readonly Link[];
  /** The files read from each configured path, and from each folder below it. */
  readonly places: ReadonlyMap<string, readonly string[]>;
  /** The folders read. */
  readonly folders: readonly Folder[];
  /** Changes whenever a file or folder changes; see fingerprintOf(). */
  readonly fingerprint: string;
  /** Digest of names and contents: the same set has the same version wherever its folder is. */
  readonly version: string;
}

export interface Link {
  readonly path: string;
  readonly target: string;
}

export interface Folder {
  readonly path: string;
  /**
   * Device, inode and time of creation: a mount may put another folder at the same path, and a folder that is
   * removed and made again often has the same inode.
   */
  readonly identity: string;
}

/** Attempts to read a set that does not change meanwhile; the last attempt is used as it is. */
const MAX_READS = 10;

interface Entry {
  /** Path as diagnostics show it. */
  readonly path: string;
  /** Path relative to the configured path. */
  readonly name: string;
  readonly stats: Stats;
}

/**
 * Reads the YAML files in `paths`, which are files and folders. Files and folders whose names begin with a
 * dot are skipped unless configured themselves. A set that changes while it is read is read again.
 */
export async function readFiles(paths: readonly string[], limits: SizeLimits): Promise<FileSet> {
  let before = await listEntries(paths);
  for (let reads = 1; ; reads++) {
    const contents = await readEntries(before.entries, limits);
    const after = await listEntries(paths);
    const fingerprint = fingerprintOfListing(before);
    if (reads >= MAX_READS || fingerprintOfListing(after) === fingerprint) {
      const { links, places, folders, diagnostics } = before;
      return {
        ...contents,
        links,
        places,
        folders,
        fingerprint,
        diagnostics: [...diagnostics, ...contents.diagnostics],
      };
    }
    before = after;
  }
}

/**
 * The current fingerprint, from folder listings and from sizes and times of the files, without reading
 * contents.
 */
export async function fingerprintOf(paths: readonly string[]): Promise<string> {
  return fingerprintOfListing(await listEntries(paths));
}

async function readEntries(
  entries: readonly Entry[],
  limits: SizeLimits,
): Promise<Pick<FileSet, "files" | "diagnostics" | "version">> {
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

/** 64 bits of the digest: a collision among one installation's sets is practically impossible. */
const VERSION_LENGTH = 16;

interface Listing {
  readonly entries: Entry[];
  readonly diagnostics: Diagnostic[];
  readonly links: Link[];
  readonly places: Map<string, string[]>;
  readonly folders: Folder[];
}

async function listEntries(paths: readonly string[]): Promise<Listing> {
  const listing: Listing = { entries: [], diagnostics: [], links: [], places: new Map(), folders: [] };
  for (const path of paths) {
    const entry = { path, name: "", isLink: await isLink(path), folders: [], places: [] };
    await listPath(entry, listing);
  }
  return listing;
}

interface Place {
  readonly path: string;
  /** Path relative to the configured path; empty for that path itself. */
  readonly name: string;
  readonly isLink: boolean;
  /** Ancestor folders: `folders` by inode (to detect loops), `places` by path. */
  readonly folders: readonly string[];
  readonly places: readonly string[];
}

/**
 * Adds a file, or the YAML files of a folder. Symbolic links are followed: Kubernetes mounts ConfigMaps as
 * links.
 */
async function listPath({ path, name, isLink, folders, places }: Place, listing: Listing): Promise<void> {
  try {
    const stats = await stat(path);
    if (isLink) listing.links.push({ path, target: await realpath(path) });
    if (stats.isFile()) {
      listing.entries.push({ path, name: name === "" ? basename(path) : name, stats });
      const own = name === "" ? [path] : places;
      for (const place of own) {
        const paths = listing.places.get(place);
        if (paths === undefined) listing.places.set(place, [path]);
        else paths.push(path);
      }
      return;
    }
    if (!stats.isDirectory()) throw new Error("The path is neither a file nor a folder");
    const folder = `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`;
    if (folders.includes(folder)) throw new Error("The link leads back to a folder above it");
    listing.folders.push({ path, identity: folder });
    const children = await readdir(path, { withFileTypes: true });
    if (!listing.places.has(path)) listing.places.set(path, []);
    for (const child of children.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const childPath = join(path, child.name);
      const wanted = isYaml(child.name) || child.isDirectory() || (await isLinkToFolder(child, childPath));
      if (isLeftOut(child.name) || !wanted) continue;
      const below = {
        path: childPath,
        name: name === "" ? child.name : `${name}/${child.name}`,
        isLink: child.isSymbolicLink(),
        folders: [...folders, folder],
        places: [...places, path],
      };
      await listPath(below, listing);
    }
  } catch (error) {
    listing.diagnostics.push(fault(path, "PURSER_DOC_UNREADABLE", messageOf(error)));
  }
}

/** Skips entries of editors and Kubernetes, and packages of extensions installed beside the documents. */
function isLeftOut(name: string): boolean {
  return name.startsWith(".") || name === "node_modules";
}

export function isYaml(name: string): boolean {
  return /\.ya?ml$/i.test(name);
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
}

async function isLinkToFolder(child: Dirent, path: string): Promise<boolean> {
  if (!child.isSymbolicLink()) return false;
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

function fingerprintOfListing({ entries, folders, diagnostics }: Listing): string {
  const files = entries.map(({ path, stats }) => [path, stats.ino, stats.size, stats.mtimeMs]);
  return JSON.stringify([
    files,
    folders,
    diagnostics.map(({ location, message }) => [location.file, message]),
  ]);
}

function fault(file: string, code: ErrorCode, message: string): Diagnostic {
  return { severity: "error", code, location: { file, line: 1, column: 1 }, message };
}
