// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A pseudonym that `--via` accepts: a token, or a host with a port. */
const PSEUDONYM = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?::[0-9]{1,5})?$/;

export function isViaPseudonym(text: string): boolean {
  return PSEUDONYM.test(text);
}

/** Comments, whose text may look like an entry. */
const COMMENT = /\([^()]*\)/g;

/**
 * Whether an entry of the field `via`, such as `1.1 edge-1`, names a proxy. Names are compared without case.
 *
 * @param name In lower case.
 */
export function isNamedInVia(field: string, name: string): boolean {
  for (const entry of field.toLowerCase().replace(COMMENT, " ").split(","))
    if (entry.trim().split(/[ \t]+/)[1] === name) return true;
  return false;
}
