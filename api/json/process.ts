// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { LOG_LEVELS, type LogLevel } from "../../kernel/log-level.ts";
import { invalidRequest } from "./faults.ts";
import { createDecoder } from "./schema/decoder.ts";
import { exactly } from "./schema/exactly.ts";
import { closed, oneOf, Text } from "./schema/fields.ts";

/** `GET`: a ProcessVersions. */
export const VERSION_PATH = "/v1/version";
/** `GET`, or `PUT` a LogLevelState; 200 with a LogLevelState. */
export const LOG_LEVEL_PATH = "/v1/log-level";
/** `GET`: the OpenAPI document of the surface. */
export const DESCRIPTION_PATH = "/v1/openapi.json";

/** The versions of a process and of its configuration. */
export interface ProcessVersions {
  /** Of Purser. */
  readonly version: string;
  /** Of Node.js, such as `20.20.0`. */
  readonly node: string;
  /** Of the documents in force; absent before the first ones, and for a proxy, which never sees documents. */
  readonly documents?: string;
  /** Of the resources in force in a proxy, by type; absent before the first ones, and for the mixer and pilot. */
  readonly resources?: {
    readonly clusters: string;
    readonly endpoints: string;
    readonly listeners: string;
    readonly routes: string;
  };
}

/** The least severe level that a process logs. */
export interface LogLevelState {
  readonly level: LogLevel;
}

export const ProcessVersionsSchema = exactly<ProcessVersions>()(
  Type.Object({
    version: Text,
    node: Text,
    documents: Type.Optional(Text),
    resources: Type.Optional(Type.Object({ clusters: Text, endpoints: Text, listeners: Text, routes: Text })),
  }),
);

export const LogLevelSchema = exactly<LogLevelState>()(closed({ level: oneOf(LOG_LEVELS) }));

/** @throws {PurserError} PURSER_REQUEST_INVALID, naming the field. */
export const decodeLogLevel = createDecoder(LogLevelSchema, invalidRequest);
