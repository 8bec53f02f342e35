// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Reasons for which a secure connection to an endpoint does not open: the values of a metric's label. */
export type TlsFaultReason =
  /** The proxy's own certificate or authorities could not be read yet. */
  | "no_certificate"
  | "certificate_expired"
  /** No known authority has signed the certificate, or it may not be used for a server. */
  | "certificate_untrusted"
  | "name_mismatch"
  /** The server does not speak the application protocol (ALPN). */
  | "protocol_mismatch"
  | "unsupported_version"
  | "not_tls"
  /** The server refused by an alert: it wants a client certificate, for example. */
  | "server_alert"
  /** The server closed the connection within the handshake. */
  | "closed"
  | "error";

export interface TlsFault {
  readonly reason: TlsFaultReason;
  readonly error: NodeJS.ErrnoException;
}

/** A fault that the proxy itself finds. */
export class TlsFaultError extends Error {
  readonly reason: TlsFaultReason;

  constructor(reason: TlsFaultReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

const REASONS: Readonly<Record<string, TlsFaultReason>> = {
  CERT_HAS_EXPIRED: "certificate_expired",
  CERT_NOT_YET_VALID: "certificate_expired",
  ERR_SSL_WRONG_VERSION_NUMBER: "not_tls",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "not_tls",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "unsupported_version",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "unsupported_version",
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: "protocol_mismatch",
  ECONNRESET: "closed",
  EPIPE: "closed",
};

/** Codes of OpenSSL's verification (X509_V_ERR_*), as Node writes them. */
const VERIFICATION = /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_|PATH_LENGTH_|ERROR_IN_CERT|CRL_)/;

/** The reason of an error that ended a handshake. */
export function tlsFaultReason(error: NodeJS.ErrnoException): TlsFaultReason {
  if (error instanceof TlsFaultError) return error.reason;
  const { code = "" } = error;
  const known = Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
  if (known !== undefined) return known;
  if (VERIFICATION.test(code)) return "certificate_untrusted";
  return isAlert(error) ? "server_alert" : "error";
}

/** Whether the server sent an alert; with TLS 1.3, it may come after the client's part of the handshake. */
export function isAlert({ code }: NodeJS.ErrnoException): boolean {
  return code !== undefined && /^ERR_SSL_.*ALERT/.test(code);
}
