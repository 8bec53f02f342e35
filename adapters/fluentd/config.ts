// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  Choice,
  type ConfigFault,
  Duration,
  durationMs,
  SecretField,
  type Static,
  Type,
} from "../../plugins/sdk/index.ts";

const MEBIBYTE = 1024 * 1024;

export const CONFIG = Type.Object({
  host: Type.String({
    minLength: 1,
    default: "127.0.0.1",
    description: "The server's name or address.",
  }),
  port: Type.Integer({ minimum: 1, maximum: 65_535, default: 24_224, description: "The server's port." }),
  tls: Type.Boolean({ default: false, description: "Speak TLS, and verify the server's certificate." }),
  caFile: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "A PEM file of the authorities that sign the server's certificate, relative to the document. Default: those of Node.js.",
    }),
  ),
  serverName: Type.Optional(
    Type.String({
      minLength: 1,
      description: "The name that the server's certificate must have; default: host.",
    }),
  ),
  sharedKey: Type.Optional(
    SecretField({ description: "The shared_key of the server's <security> section; both sides prove it." }),
  ),
  username: Type.Optional(
    Type.String({ minLength: 1, description: "A user of the server's <security> section." }),
  ),
  password: Type.Optional(SecretField({ description: "The user's password." })),
  selfHostname: Type.Optional(
    Type.String({
      minLength: 1,
      description: "The name of this side in the handshake; default: the machine's host name.",
    }),
  ),
  tag: Type.String({
    pattern: "^[!-~]+$",
    maxLength: 200,
    default: "purser.{template}",
    description: "The tag of the events; {template} and {name} stand for the instance's.",
  }),
  ack: Type.Boolean({
    default: true,
    description: "A batch has arrived when the server acknowledges it (require_ack_response).",
  }),
  compress: Choice(["none", "gzip"], "gzip: the CompressedPackedForward mode.", { default: "none" }),
  maxChunkBytes: Type.Integer({
    minimum: 1024,
    maximum: 64 * MEBIBYTE,
    default: 2 * MEBIBYTE,
    description: "Maximum size in bytes of the events of one message, before compression.",
  }),
  connectTimeout: Duration("Longest time of connecting and of the handshake.", { default: "4s" }),
  redact: Type.Array(Type.String({ pattern: "^[^*\\s]+\\*?$" }), {
    default: [],
    description:
      "More attributes to redact in decisions, such as request.headers.x-session or request.query_params.*",
  }),
});

export type FluentdConfig = Static<typeof CONFIG>;

export function faultsOf(config: FluentdConfig): readonly ConfigFault[] {
  const { tls, caFile, serverName, sharedKey, username, password } = config;
  const faults: ConfigFault[] = [];
  const fault = (field: string, message: string): void => void faults.push({ path: [field], message });
  if (!tls && caFile !== undefined) fault("caFile", "caFile needs tls: true");
  if (!tls && serverName !== undefined) fault("serverName", "serverName needs tls: true");
  if (sharedKey === "") fault("sharedKey", "sharedKey must not be empty");
  if ((username === undefined) !== (password === undefined))
    fault("username", "username and password need each other");
  if (username !== undefined && sharedKey === undefined)
    fault("username", "username needs sharedKey: the server asks for both in one handshake");
  if (durationMs(config.connectTimeout) < 1) fault("connectTimeout", "connectTimeout must be 1ms at least");
  return faults;
}
