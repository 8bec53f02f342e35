// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import {
  DESCRIPTION_PATH,
  LOG_LEVEL_PATH,
  LogLevelSchema,
  ProcessVersionsSchema,
  VERSION_PATH,
} from "../process.ts";
import { jsonAnswer, type Operation } from "./operation.ts";

/** The operations that every control surface has. */

const LOG_LEVEL = { name: "LogLevel", schema: LogLevelSchema };

export const GET_VERSION: Operation = {
  id: "getVersion",
  method: "get",
  path: VERSION_PATH,
  summary: "The versions of Purser, of Node.js, and of the configuration in force.",
  answers: { 200: jsonAnswer("ProcessVersions", ProcessVersionsSchema, "The versions.") },
};

export const GET_LOG_LEVEL: Operation = {
  id: "getLogLevel",
  method: "get",
  path: LOG_LEVEL_PATH,
  summary: "The least severe level that the process logs.",
  answers: { 200: jsonAnswer(LOG_LEVEL.name, LOG_LEVEL.schema, "The level.") },
};

export const PUT_LOG_LEVEL: Operation = {
  id: "putLogLevel",
  method: "put",
  path: LOG_LEVEL_PATH,
  summary:
    "Change the level of every logger of the process, until the next change or the end of the process.",
  request: LOG_LEVEL,
  answers: { 200: jsonAnswer(LOG_LEVEL.name, LOG_LEVEL.schema, "The level from now on.") },
};

export const GET_DESCRIPTION: Operation = {
  id: "getDescription",
  method: "get",
  path: DESCRIPTION_PATH,
  summary: "This document.",
  answers: {
    200: { description: "An OpenAPI document.", content: { "application/json": Type.Object({}) } },
  },
};
