// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { documentsOf, faultAt, type ParsedDocument } from "../document.ts";
import { PEER_AUTHENTICATION, type PeerAuthenticationSpec } from "../kinds/peer-authentication.ts";

/**
 * Reports PeerAuthentications of one namespace with the same selector, or both without any. Istio takes the oldest of
 * them, but a file says nothing about ages, so that the order of files would decide about plain text.
 */
export function faultsOfPeerAuthentications(documents: readonly ParsedDocument[]): readonly Diagnostic[] {
  const first = new Map<string, ParsedDocument>();
  return documentsOf(documents, PEER_AUTHENTICATION).flatMap((document) => {
    const { selector } = document.spec as PeerAuthenticationSpec;
    const { name, namespace } = document.metadata;
    const labels = Object.entries(selector?.matchLabels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify([namespace, labels]);
    const other = first.get(key);
    first.set(key, other ?? document);
    // A second document with the same name is reported as a duplicate already.
    if (other === undefined || other.metadata.name === name) return [];
    const { file, line, column } = other.location;
    const scope = selector === undefined ? "without a selector" : "with the same selector";
    const message = `There is another PeerAuthentication ${scope} in the namespace ${namespace}, at ${file}:${line}:${column}`;
    return [faultAt(document, "PURSER_DOC_DUPLICATE", ["metadata", "name"], message)];
  });
}
