// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * A one-time token with which a proxy gets its first certificate. Besides the secret it names the trust bundle's roots, so
 * that a proxy that knows no root yet can tell the authority from an impostor, to which it must not show the secret.
 */
export interface JoinToken {
  /** 32 random bytes in base64url. */
  readonly secret: string;
  /** SHA-256 of the DER form of each root, in base64url: one or two. */
  readonly rootPins: readonly string[];
}

/** The prefix lets scanners of repositories and logs find tokens. */
const PREFIX = "purser-join";
/** 32 bytes in base64url (RFC 4648, section 5) without padding. */
const PART = /^[A-Za-z0-9_-]{43}$/;
const MAX_PINS = 4;

export function formatJoinToken({ secret, rootPins }: JoinToken): string {
  return [PREFIX, secret, ...rootPins].join(".");
}

/** The parts of a token; undefined when the text is not one. White space around it is ignored. */
export function parseJoinToken(text: string): JoinToken | undefined {
  const [prefix, secret, ...rootPins] = text.trim().split(".");
  if (prefix !== PREFIX || secret === undefined || !PART.test(secret)) return undefined;
  if (rootPins.length < 1 || rootPins.length > MAX_PINS || !rootPins.every((pin) => PART.test(pin)))
    return undefined;
  return { secret, rootPins };
}
