// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Logger } from "../../kernel/ports.ts";
import { supervisorOfError } from "../../mixer/runtime/handlers/supervision/supervisor.ts";

/**
 * Keeps the process alive when a handler's code throws where nobody awaits it, or leaves a rejected promise: an extension's defect must
 * hurt no request. The handler is named, counted and restarted by its supervisor.
 *
 * A rejection that no handler's code caused is logged, and the failed operation stays failed. An exception that none caused ends the
 * process as Node does by itself, with exit code 1: the state of Purser's own parts is in doubt then.
 */
export function surviveHandlers(logger: Logger): void {
  process.on("uncaughtException", (error) => {
    const supervisor = supervisorOfError();
    if (supervisor !== undefined) return supervisor.fault("exception", error);
    process.stderr.write(`${textOf(error)}\n`);
    process.exit(1);
  });
  process.on("unhandledRejection", (reason) => {
    const supervisor = supervisorOfError();
    if (supervisor !== undefined) return supervisor.fault("rejection", reason);
    logger.error("unhandled promise rejection: a defect of an extension or of Purser", {
      error: textOf(reason),
    });
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
