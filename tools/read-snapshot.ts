// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DocumentFile } from "../core/documents/yaml/read-yaml.ts";
import type { Checked } from "../kernel/diagnostic.ts";
import type { Snapshot } from "../core/snapshot/snapshot.ts";

/**
 * Reads the documents of files and folders once, and compiles them. The caller determines the available
 * adapters and plugins.
 * @throws {ConfigRejected} for a set with faults.
 */
export type ReadSnapshot = (paths: readonly string[]) => Promise<Snapshot>;

/** Checks and compiles documents that a command has made, as a set of their own. */
export type CheckText = (file: DocumentFile) => Checked<Snapshot>;
