// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readlink } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";

/** A directory entry. */
export interface Place {
  readonly folder: string;
  readonly name: string;
}

/** Maximum number of links that are followed on the way to one path, as in Linux. */
const MAX_LINKS = 40;

/**
 * The entries that decide where a path leads: its own, those of symbolic links on the way, and the entry that
 * the links lead to. Kubernetes updates a ConfigMap by replacing a link in the middle of such a path.
 */
export async function placesOf(path: string): Promise<readonly Place[]> {
  let current = resolve(path);
  const places = [placeOf(current)];
  for (let links = 0; links < MAX_LINKS; links++) {
    const link = await firstLink(current);
    if (link === undefined) break;
    places.push(placeOf(link.path));
    current = join(resolve(dirname(link.path), link.target), current.slice(link.path.length));
    places.push(placeOf(current));
  }
  return places;
}

function placeOf(path: string): Place {
  return { folder: dirname(path), name: basename(path) };
}

/** The first symbolic link on the way to an absolute path. */
async function firstLink(
  path: string,
): Promise<{ readonly path: string; readonly target: string } | undefined> {
  const steps = path.split(sep);
  for (let length = 2; length <= steps.length; length++) {
    const ancestor = steps.slice(0, length).join(sep);
    // Anything but a link fails with EINVAL.
    const target = await readlink(ancestor).catch(() => undefined);
    if (target !== undefined) return { path: ancestor, target };
  }
  return undefined;
}
