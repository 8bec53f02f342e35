// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** OpenSSL's part of a message: its function and its reason stand before a position in its sources. */
const OPENSSL_REASON = /:SSL routines:[^:]*:([^:]+)/;

/** The text of a connection's error for logs; of a secure one, by OpenSSL's reason where it has one. */
export function connectionErrorText(error: NodeJS.ErrnoException, isSecure: boolean): string {
  if (!isSecure) return textOf(error);
  const { code, message } = error;
  const text = OPENSSL_REASON.exec(message)?.[1] ?? textOf(error);
  return code === undefined || text === code ? `TLS: ${text}` : `TLS: ${text} (${code})`;
}

/** An attempt at several addresses of a name fails with an AggregateError, which has a code and no message. */
function textOf({ message, code, name }: NodeJS.ErrnoException): string {
  return message === "" ? (code ?? name) : message;
}
