// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { decodeLogLevel, type LogLevelState, type ProcessVersions } from "../../api/json/process.ts";
import { GET_LOG_LEVEL, GET_VERSION, PUT_LOG_LEVEL } from "../../api/json/operations/process-operations.ts";
import type { LogLevelSetting } from "../../kernel/log-level.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Logger } from "../../kernel/ports.ts";
import { BodyReader } from "./json/body-reader.ts";
import { readJson } from "./json/read-json.ts";
import type { SurfaceRouter } from "./surface-router.ts";

/** The process that a control surface tells of and controls. */
export interface SurfaceProcess {
  /** Version of Purser. */
  readonly version: string;
  /** Version of Node.js. */
  readonly node: string;
  readonly logLevel: LogLevelSetting;
}

/** The versions of the configuration in force. */
export type ConfigVersions = () => MaybePromise<Pick<ProcessVersions, "documents" | "resources">>;

/** Maximum size of a body, in bytes: a level has 17 at most. */
const BODY_LIMIT_BYTES = 1_024;

export interface ProcessRoutes {
  readonly logger: Logger;
  readonly process: SurfaceProcess;
  readonly configVersions?: ConfigVersions | undefined;
}

/** `/v1/version` and `/v1/log-level`. */
export function addProcessRoutes(router: SurfaceRouter, routes: ProcessRoutes): void {
  const { logger, process } = routes;
  const configVersions: ConfigVersions = routes.configVersions ?? (() => ({}));
  const { version, node, logLevel } = process;
  const bodies = new BodyReader(BODY_LIMIT_BYTES);
  router.serve(GET_VERSION, async (context) => {
    context.body = { version, node, ...(await configVersions()) } satisfies ProcessVersions;
  });
  router.serve(GET_LOG_LEVEL, (context) => {
    context.body = { level: logLevel.level } satisfies LogLevelState;
  });
  router.serve(PUT_LOG_LEVEL, async (context) => {
    const { level } = decodeLogLevel(await readJson(context, bodies));
    changeLogLevel(logLevel, { level }, logger, context.req.socket.remoteAddress ?? "unknown");
    context.body = { level: logLevel.level } satisfies LogLevelState;
  });
}

/**
 * Two different levels are never both `error`: the audit line, a warning, is logged under the more verbose one, so that no change
 * goes unseen.
 *
 * @param by Address of the caller.
 */
function changeLogLevel(
  setting: LogLevelSetting,
  { level: to }: LogLevelState,
  logger: Logger,
  by: string,
): void {
  const from = setting.level;
  if (from === to) return;
  const audit = (): void => logger.warn("the log level was changed", { from, to, by });
  const isSeenBefore = setting.shows("warn");
  if (isSeenBefore) audit();
  setting.set(to);
  if (!isSeenBefore) audit();
}
