// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Token } from "../errors/expression-error.ts";
import type { AstNode } from "../syntax/ast.ts";
import type { CallSite } from "../runtime/calls/call-sites.ts";
import type { CompiledFunction } from "../runtime/calls/callee.ts";
import type { Place } from "./place.ts";

/** A call in tail position that is made where it stands. */
export interface TailNode extends AstNode {
  readonly inTail?: boolean;
}

/** Where the errors of a call are. */
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

/** What the reference calls the token of a node. */
export function tokenOf(node: AstNode | undefined): Token | undefined {
  const value = node?.value;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : undefined;
}

/** Whether a function may take the context for an argument: it can, and it is not given all that it takes. */
export function takesContext({ signature, arity }: CompiledFunction, given: number): boolean {
  return signature !== undefined && signature.definition.includes("-") && given < Math.max(1, arity);
}
