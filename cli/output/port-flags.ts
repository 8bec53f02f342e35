// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import type { PurserError } from "../../kernel/errors.ts";

/**
 * The flags that give the port which a server could not listen on, as ` (--mixer-port)`; empty for another error, and for a port
 * that a document gives.
 */
export function flagsOfPort(command: Command, { code, details }: PurserError): string {
  if (code !== "PURSER_PORT_TAKEN" && code !== "PURSER_PORT_FORBIDDEN") return "";
  const { port, origin } = details;
  if (origin !== undefined) return "";
  const flags = command.options.filter((option) => {
    const value: unknown = command.getOptionValue(option.attributeName());
    // A flag such as --sidecar reviews=15001 is a list of objects with a port.
    if (Array.isArray(value)) return value.some((each) => portsIn(each).includes(port));
    return option.long?.endsWith("-port") === true && value === port;
  });
  return flags.length === 0 ? "" : ` (${flags.map(({ long }) => long).join(" and ")})`;
}

function portsIn(value: unknown): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => (/port$/i.test(name) ? [each] : []));
}
