// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Token } from "../errors/expression-error.ts";
import type { AstNode } from "../syntax/ast.ts";
import type { CallSite } from "../runtime/calls/call-sites.ts";
import type { CompiledFunction } from "../runtime/calls/callee.ts";
import type { Place } from "./place.ts";

/** A call in tail position that the code makes at once instead of returning it to the caller. */
export interface TailNode extends AstNode {
  readonly inTail?: boolean;
}

/** The place in the source that the errors of a call report. */
export function siteOf(node: AstNode, place: Place): CallSite {
  if (place.claimedBy !== undefined) return { ...place.claimedBy, claims: true };
  const procedure = node.procedure as AstNode;
  const named = procedure.type === "path" ? procedure.steps?.[0] : procedure;
  const site = {
    position: node.position ?? 0,
    token: tokenOf(named),
  };
  return (node as TailNode).inTail === true ? { ...site, inTail: true } : site;
}

/** The token of a node, as the reference names it in errors. */
export function tokenOf(node: AstNode | undefined): Token | undefined {
  const value = node?.value;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : undefined;
}

/**
 * Whether a call passes the context as an argument: the signature allows it and the call gives fewer
 * arguments than the arity.
 */
export function takesContext({ signature, arity }: CompiledFunction, given: number): boolean {
  return signature !== undefined && signature.definition.includes("-") && given < Math.max(1, arity);
}
