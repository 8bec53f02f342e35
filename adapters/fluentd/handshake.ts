// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

export interface Credentials {
  readonly sharedKey: string;
  readonly selfHostname: string;
  readonly user: { readonly name: string; readonly password: string } | undefined;
}

export interface Helo {
  readonly nonce: Uint8Array;
  /** Salt of the password; empty when the server asks for no user. */
  readonly auth: Uint8Array;
  readonly keepalive: boolean;
}

/** A message that a server may not send, or a failed authentication. */
export class HandshakeError extends Error {}

/** Maximum length of the server's own words in a message, in characters. */
const MAX_REASON = 200;

/** The server's `["HELO", options]`; undefined for any other value. */
export function parseHelo(value: unknown): Helo | undefined {
  if (!Array.isArray(value) || textOf(value[0]) !== "HELO") return undefined;
  const options = value[1] as Readonly<Record<string, unknown>> | null | undefined;
  return {
    nonce: bytesOf(options?.["nonce"]),
    auth: bytesOf(options?.["auth"]),
    keepalive: options?.["keepalive"] !== false,
  };
}

/** One handshake, over one connection. */
export class Handshake {
  readonly #credentials: Credentials;
  readonly #helo: Helo;
  /** Text, since some servers read only UTF-8 here. */
  readonly #salt = randomBytes(16).toString("hex");

  constructor(credentials: Credentials, helo: Helo) {
    this.#credentials = credentials;
    this.#helo = helo;
  }

  /** @throws HandshakeError when the server asks for a user and none is configured. */
  ping(): readonly unknown[] {
    const { selfHostname, user } = this.#credentials;
    const digest = this.#digestFor(selfHostname);
    if (this.#helo.auth.length === 0) return ["PING", selfHostname, this.#salt, digest, "", ""];
    if (user === undefined) throw new HandshakeError("the server asks for a username and a password");
    const proof = sha512(this.#helo.auth, user.name, user.password);
    return ["PING", selfHostname, this.#salt, digest, user.name, proof];
  }

  /** @throws HandshakeError unless the value is a PONG that accepts, from a server that knows the key. */
  assertPong(value: unknown): void {
    if (!Array.isArray(value) || textOf(value[0]) !== "PONG")
      throw new HandshakeError("the server did not answer the PING");
    const [, accepted, reason, serverName, digest] = value as readonly unknown[];
    if (accepted !== true) {
      const words = textOf(reason)
        .replaceAll(/[\s\p{C}]+/gu, " ")
        .slice(0, MAX_REASON);
      throw new HandshakeError(`the server refused the authentication: ${words}`);
    }
    const expected = Buffer.from(this.#digestFor(textOf(serverName)));
    const actual = Buffer.from(textOf(digest));
    if (actual.length !== expected.length || !timingSafeEqual(actual, expected))
      throw new HandshakeError("the server does not know the shared key");
  }

  #digestFor(hostname: string): string {
    return sha512(this.#salt, hostname, this.#helo.nonce, this.#credentials.sharedKey);
  }
}

function sha512(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array();
}

/** The text of a decoded text, which is bytes; empty for any other value. */
export function textOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : "";
}
