// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TLSSocket } from "node:tls";

import type { HandshakeResult } from "../../contract/tls.ts";

/** OpenSSL's reasons, in Node's error codes, by result. Patterns, since some reasons have several codes. */
const RESULTS: readonly (readonly [RegExp, HandshakeResult])[] = [
  [/^PEER_REFUSED$/, "client_certificate_invalid"],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE/, "client_certificate_missing"],
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|WRONG_VERSION_NUMBER|WRONG_SSL_VERSION/, "unsupported_version"],
  [/NO_SHARED_CIPHER|NO_SUITABLE_SIGNATURE_ALGORITHM/, "no_shared_cipher"],
  [/NO_APPLICATION_PROTOCOL/, "no_shared_protocol"],
  [/_ALERT_/, "client_alert"],
  [/ECONNRESET|EPIPE|UNEXPECTED_EOF/, "closed"],
];

/** The result of a handshake that failed, by the arguments of Node's `tlsClientError`. */
export function failureOf({ code = "" }: NodeJS.ErrnoException, socket: TLSSocket): HandshakeResult {
  // Node destroys the socket of a client whose certificate is not valid, and reports the end of the connection.
  if (hasInvalidCertificate(socket)) return "client_certificate_invalid";
  return RESULTS.find(([pattern]) => pattern.test(code))?.[1] ?? "error";
}

/** The type of Node's declarations says Error; Node sets the code of the fault, and nothing without one. */
function hasInvalidCertificate({ authorizationError }: TLSSocket): boolean {
  return typeof (authorizationError as unknown) === "string";
}
