// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AuditEntry, QuotaKey } from "../../api/quota-operations.ts";
import type { AdjustmentKind } from "../../core/quota/quota-view.ts";
import { httpStatusOfError } from "../../api/json/error-body.ts";
import { isPurserError } from "../../kernel/errors.ts";
import { MixerQuotas } from "../../tools/quotas/mixer-quotas.ts";
import { auditText, changeText, listText, type Presentation, topText } from "../../tools/quotas/text.ts";
import { styleOf } from "../../tools/terminal.ts";
import { clientAuthorization } from "../compose/control-access.ts";
import { ControlTls, type ControlTlsFlags, controlTlsFlags } from "../compose/control-tls.ts";
import { createRuntime } from "../compose/runtime.ts";
import { CommandFailed } from "../commands/command-failed.ts";

interface Flags extends ControlTlsFlags {
  readonly mixer: string;
  readonly tokenFile?: string;
  readonly json: boolean;
}

interface PageFlags extends Flags {
  readonly policy?: string;
  readonly limit: number;
}

interface CountFlags extends Flags {
  readonly key?: QuotaKey;
  readonly reason: string;
}

interface BlockFlags extends CountFlags {
  /** In milliseconds. */
  readonly for: number;
}

/** @throws {CommandFailed} after the report, when a store could not be asked. */
export async function list(flags: PageFlags & { readonly key?: QuotaKey }): Promise<void> {
  const { policy, key, limit } = flags;
  const { policies } = await show(flags, (quotas) => quotas.list({ policy, key, limit }), listText);
  if (policies.some(({ error }) => error?.code === "PURSER_STORE_UNAVAILABLE")) throw new CommandFailed();
}

/** Most keys that a mixer keeps of each policy. */
const MAX_TOP = 100;

export async function top(flags: PageFlags): Promise<void> {
  await show(flags, (quotas) => quotas.top(flags.policy, Math.min(flags.limit, MAX_TOP)), topText);
}

/** Most entries that a mixer keeps. */
const MAX_AUDIT = 1_000;

export async function audit(flags: PageFlags): Promise<void> {
  await show(flags, (quotas) => quotas.audit(Math.min(flags.limit, MAX_AUDIT)), auditText);
}

export function reset(policy: string, flags: CountFlags): Promise<void> {
  return change(flags, (quotas) => quotas.reset(commandOf(policy, flags)));
}

export function raise(policy: string, flags: BlockFlags & { readonly limit: number }): Promise<void> {
  const { limit, for: forMs } = flags;
  return change(flags, (quotas) => quotas.raise({ ...commandOf(policy, flags), limit, forMs }));
}

export function block(policy: string, flags: BlockFlags): Promise<void> {
  return change(flags, (quotas) => quotas.block({ ...commandOf(policy, flags), forMs: flags.for }));
}

export function end(kind: AdjustmentKind, policy: string, flags: CountFlags): Promise<void> {
  return change(flags, (quotas) => quotas.end(kind, commandOf(policy, flags)));
}

function commandOf(policy: string, { key = {}, reason }: CountFlags) {
  return { policy, key, reason };
}

async function change(flags: Flags, ask: (quotas: MixerQuotas) => Promise<AuditEntry>): Promise<void> {
  await show(flags, ask, changeText);
}

async function show<T>(
  { mixer, json, tokenFile, ...files }: Flags,
  ask: (quotas: MixerQuotas) => Promise<T>,
  textOf: (reply: T, style: Presentation) => string,
): Promise<T> {
  const { stdout } = process;
  const style = stdout.isTTY === true ? styleOf(stdout, process.env) : undefined;
  const runtime = createRuntime({ logLevel: "warn", logFormat: "auto" });
  const authorization = await clientAuthorization(tokenFile, "--token-file", runtime);
  const tls = await ControlTls.follow(controlTlsFlags(files), runtime);
  const reply = await ask(new MixerQuotas(mixer, { authorization, tls: tls?.client })).catch(
    (error: unknown) => {
      throw asFailure(error);
    },
  );
  await write(json ? `${JSON.stringify(reply, undefined, 2)}\n` : textOf(reply, style));
  return reply;
}

/** An error that the user cannot correct on the command line ends the command with 1, others with 2. */
function asFailure(error: unknown): unknown {
  if (!isPurserError(error) || httpStatusOfError(error.code) < 500) return error;
  return new CommandFailed(`purser: ${error.message} [${error.code}]`);
}

/** Resolves when the text is flushed: the process ends after the command, and a pipe would lose the rest. */
function write(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}
