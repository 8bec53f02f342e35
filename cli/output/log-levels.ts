// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

export { LOG_LEVELS, type LogLevel } from "../../kernel/log-level.ts";

export const LOG_FORMATS = ["auto", "text", "json"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];
