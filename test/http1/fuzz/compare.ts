// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { FramedMessage, Framing, FuzzCase } from "./framed-message.ts";
import { LLHTTP_METHODS, llhttpFraming } from "./llhttp-framing.ts";
import { ourFraming } from "./our-framing.ts";

/** A case that the two parsers frame differently, or that ours frames differently when it is split. */
export interface Divergence {
  /** Equal for cases with the same cause, probably. */
  readonly kind: string;
  readonly detail: string;
}

export interface Comparison {
  readonly divergence: Divergence | undefined;
  /** Number of whole messages that ours accepted. */
  readonly accepted: number;
}

/**
 * What ours accepts, llhttp must frame the same way. Ours may refuse more. A request with a method that llhttp does not know
 * ends the comparison.
 */
export function compare(one: FuzzCase): Comparison {
  const ours = ourFraming(one);
  const accepted = ours.messages.filter(({ complete }) => complete).length;
  const unsplit = one.splits.length === 0 ? ours : ourFraming({ ...one, splits: [] });
  // The detail of a fault may name the part that arrived.
  const isSame = (unsplit.fault === undefined) === (ours.fault === undefined);
  if (!isSame || JSON.stringify(unsplit.messages) !== JSON.stringify(ours.messages)) {
    const detail = `${JSON.stringify(unsplit)} unsplit, ${JSON.stringify(ours)} split at ${one.splits.join()}`;
    return { accepted, divergence: { kind: "ours differs when it is split", detail } };
  }
  const theirs = llhttpFraming(one);
  for (const [index, message] of ours.messages.entries()) {
    if (one.kind === "request" && !LLHTTP_METHODS.has(message.start.split(" ", 1)[0] as string)) break;
    const other = theirs.messages[index];
    if (other === undefined && obeysProxyConnection(theirs)) break;
    const kind = other === undefined ? `llhttp refuses: ${theirs.fault}` : difference(message, other, one);
    if (kind !== undefined) {
      const detail = `ours ${JSON.stringify(ours)}, llhttp ${JSON.stringify(theirs)}`;
      return { accepted, divergence: { kind: `${one.kind}: ${kind}`, detail } };
    }
  }
  return { accepted, divergence: undefined };
}

function difference(
  ours: FramedMessage,
  theirs: FramedMessage,
  { kind, methods }: FuzzCase,
): string | undefined {
  if (ours.start !== theirs.start) return "start line";
  if (ours.version !== theirs.version) return "version";
  if (JSON.stringify(ours.fields) !== JSON.stringify(theirs.fields)) return "fields";
  // llhttp decides before it is told that a response to HEAD has no body.
  const knowsBody = kind === "request" || !methods.includes("HEAD");
  if (ours.keepAlive && !theirs.keepAlive && knowsBody && !hasProxyConnection(ours)) return "keep-alive";
  if (!ours.complete) return undefined;
  if (!theirs.complete) return "llhttp does not end the message";
  if (ours.body !== theirs.body) return "body";
  if (JSON.stringify(ours.trailers) !== JSON.stringify(theirs.trailers)) return "trailers";
  return undefined;
}

/** llhttp obeys Proxy-Connection, which no RFC defines. */
function hasProxyConnection({ fields, trailers }: FramedMessage): boolean {
  return [...fields, ...trailers].some((part) => part.toLowerCase() === "proxy-connection");
}

function obeysProxyConnection({ fault, messages }: Framing): boolean {
  const last = messages.at(-1);
  return (
    fault?.startsWith("HPE_CLOSED_CONNECTION") === true && last !== undefined && hasProxyConnection(last)
  );
}
