// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, textOf } from "../../syntax/ast.ts";
import { emitBind, emitBlock, emitChoice } from "./emit-block.ts";
import { emitApply, emitCall, emitLambda, emitPartial, emitTransform } from "./emit-call.ts";
import { emitBinary, emitUnary } from "./emit-operator.ts";
import { emitName } from "./emit-names.ts";
import { emitPath } from "./emit-path.ts";
import { regexOf } from "./emit-pattern.ts";
import { emitItemOfCall } from "./emit-fast-path.ts";
import type { Emitter, NodeEmitters } from "../emitter.ts";
import { any, type Code, NotCompiled, type Place } from "../place.ts";

/** The emitters of all kinds of nodes, handed to the Emitter. */
export const NODE_EMITTERS: NodeEmitters = { node: emitNode, itemOfCall: emitItemOfCall };

/** A node's value without what is written after it: predicates, a group, `[]`. */
function emitNode(emitter: Emitter, node: AstNode, place: Place): Code {
  switch (node.type) {
    case "path":
      return emitPath(emitter, node, place);
    case "name":
      return any(emitName(emitter, textOf(node), place));
    case "string":
      return { text: JSON.stringify(node.value), kind: "string" };
    case "number":
      return { text: numberText(node.value as number), kind: "number?" };
    case "value":
      return { text: String(node.value), kind: typeof node.value === "boolean" ? "boolean" : "any" };
    case "binary":
      return emitBinary(emitter, node, place);
    case "unary":
      return emitUnary(emitter, node, place);
    case "condition":
      return emitChoice(emitter, node, place);
    case "block":
      return emitBlock(emitter, node, place);
    case "bind":
      return emitBind(emitter, node, place);
    case "variable":
      return any(emitVariable(emitter, node, place));
    case "parent":
      return any(emitParent(emitter, node, place));
    case "wildcard":
      return any(`R.wildcard(G,${emitter.contextOf(place)})`);
    case "descendant":
      return any(`R.descendants(G,${emitter.contextOf(place)})`);
    case "regex":
      return any(emitRegex(emitter, node, place));
    case "lambda":
      return emitLambda(emitter, node, place);
    case "function":
      return emitCall(emitter, node, place, undefined);
    case "partial":
      return emitPartial(emitter, node, place);
    case "apply":
      return emitApply(emitter, node, place);
    case "transform":
      return emitTransform(emitter, node, place);
    default:
      throw new NotCompiled(node.type);
  }
}

function emitVariable(emitter: Emitter, node: AstNode, place: Place): string {
  const name = textOf(node);
  if (name !== "") return emitter.resolve(name, place);
  return place.isRoot ? `R.contextValue(${emitter.contextOf(place)})` : place.context;
}

function emitParent(emitter: Emitter, node: AstNode, place: Place): string {
  const label = (node as AstNode & { readonly slot: { readonly label: string } }).slot.label;
  return emitter.resolve(label, place);
}

function emitRegex(emitter: Emitter, node: AstNode, place: Place): string {
  const position = place.claimedBy?.position ?? node.position ?? 0;
  return `R.createMatcher(G,${emitter.constant(regexOf(node))},${position})`;
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : value < 0 ? `(${value})` : String(value);
}
