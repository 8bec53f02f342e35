// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import type { IdentityStatus, RevocationChange } from "../../api/identity-service.ts";
import { httpStatusOfError } from "../../api/json/error-body.ts";
import { isPurserError, messageOf, PurserError } from "../../kernel/errors.ts";
import { RemoteIdentity } from "../../tools/identity/remote-identity.ts";
import { revocationText, statusText } from "../../tools/identity/text.ts";
import { CommandFailed } from "../commands/command-failed.ts";
import { type IdentityFlags, startIdentity } from "../compose/part-identity.ts";
import { createRuntime, type LogFlags } from "../compose/runtime.ts";
import { stopAll, stopSignal } from "../compose/stopping.ts";
import { surviveHandlers } from "../compose/uncaught-errors.ts";

interface Flags extends Omit<IdentityFlags, "state">, LogFlags {
  readonly state?: string;
  readonly drain: number;
}

/** Runs the identity service until a stop signal. */
export async function identity({ state, ...flags }: Flags): Promise<void> {
  if (state === undefined)
    throw new PurserError(
      "PURSER_CLI_USAGE",
      "purser identity needs --state, the folder of the authority's keys",
    );
  const runtime = createRuntime(flags);
  surviveHandlers(runtime.logger);
  const part = await startIdentity({ ...flags, state }, runtime);
  process.stdout.write(`identity listening on ${part.url} (operators: ${part.operatorsUrl})\n`);
  await stopSignal();
  await stopAll([part], flags.drain, runtime.logger);
}

interface OperatorFlags {
  readonly identity: string;
  readonly keyFile: string;
  readonly json: boolean;
}

interface ChangeFlags extends OperatorFlags {
  readonly reason: string;
}

export function token(
  flags: OperatorFlags & { readonly serviceAccount: string; readonly for: number },
): Promise<void> {
  const { serviceAccount, for: forMs } = flags;
  return show(
    flags,
    (service) => service.createToken({ serviceAccount, forMs }),
    ({ token: text }) => `${text}\n`,
  );
}

export function revoke(spiffeId: string, flags: ChangeFlags): Promise<void> {
  const { reason } = flags;
  return show(
    flags,
    (service) => service.revoke({ spiffeId, reason }),
    (change: RevocationChange) => revocationText("revoke", change),
  );
}

export function restore(spiffeId: string, flags: ChangeFlags): Promise<void> {
  const { reason } = flags;
  return show(
    flags,
    (service) => service.restore({ spiffeId, reason }),
    (change: RevocationChange) => revocationText("restore", change),
  );
}

export function rotateRoot(flags: OperatorFlags): Promise<void> {
  return show<IdentityStatus>(flags, (service) => service.rotateRoot(), statusText);
}

export function status(flags: OperatorFlags): Promise<void> {
  return show<IdentityStatus>(flags, (service) => service.status(), statusText);
}

async function show<T>(
  { identity: address, keyFile, json }: OperatorFlags,
  ask: (service: RemoteIdentity) => Promise<T>,
  textOf: (reply: T) => string,
): Promise<void> {
  const service = new RemoteIdentity(address, await readKey(keyFile));
  const reply = await ask(service).catch((error: unknown) => {
    throw asFailure(error);
  });
  const text = json ? `${JSON.stringify(reply, undefined, 2)}\n` : textOf(reply);
  // The process ends after the command, and a pipe would lose what is not flushed.
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
}

async function readKey(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (cause) {
    throw new PurserError("PURSER_CLI_USAGE", `--key-file ${file} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** An error that the user cannot correct on the command line ends the command with 1, others with 2. */
function asFailure(error: unknown): unknown {
  if (!isPurserError(error) || httpStatusOfError(error.code) < 500) return error;
  return new CommandFailed(`purser: ${error.message} [${error.code}]`);
}
