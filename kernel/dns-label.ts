// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** An RFC 1123 label, as Mixer required of adapter names (istio/istio mixer/pkg/adapter/info.go). */
const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether a text may be the name of an extension. */
export function isDnsLabel(text: string): boolean {
  return DNS_LABEL.test(text);
}
