// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, childrenOf } from "../syntax/ast.ts";
import type { Purpose } from "./finding.ts";
import type { Inferred } from "./inference/inferred.ts";
import { argumentOf, type Facts, meaningOf, onlyExpression, type Presence, union } from "./presence.ts";

const ORDERS: ReadonlySet<unknown> = new Set(["<", "<=", ">", ">="]);

const ALIKE: ReadonlySet<unknown> = new Set(["=", "in"]);

/** Whether a true part makes the whole expression true, or (within a `$not`) false. */
type Sense = "straight" | "negated";

/**
 * Finds the conditions in which an absent attribute turns the outcome against their wording, in the dangerous
 * direction: a request that should be refused passes, or a request that should not pass does. `a = "x"` is
 * false of an absent `a`, as it says; its `$not` is true then, as it says too, and lets every request pass
 * that omits `a`.
 */
export class AbsenceCheck {
  readonly #inference: Inferred;
  readonly #presence: Presence;
  readonly #purpose: Purpose;

  constructor(inference: Inferred, presence: Presence) {
    this.#inference = inference;
    this.#presence = presence;
    this.#purpose = inference.use.purpose;
  }

  condition(node: AstNode, facts: Facts, sense: Sense = "straight"): void {
    const inner = node.type === "block" ? (onlyExpression(node) ?? node.expressions?.at(-1)) : undefined;
    if (inner !== undefined) return this.condition(inner, facts, sense);
    const denied = argumentOf(node, "negation");
    if (denied !== undefined) return this.#negation(node, denied, facts, sense);
    if (node.type === "condition") return this.#choice(node, facts, sense);
    if (node.type !== "binary") return;
    const [left, right] = [node.lhs as AstNode, node.rhs as AstNode];
    if (node.value === "and" || node.value === "or") {
      const known = (other: AstNode) =>
        union(facts, node.value === "and" ? this.#presence.whenTrue(other) : this.#presence.whenFalse(other));
      this.condition(left, known(right), sense);
      this.condition(right, known(left), sense);
    } else if (node.value === "!=") {
      this.#unlike(node, facts, sense);
    } else if (ALIKE.has(node.value) && sense === "negated") {
      this.#alike(node, node, facts);
    } else if (ORDERS.has(node.value)) {
      this.#order(node, facts, sense);
    }
  }

  /** Checks an expression of any value: in `? :`, the branch after the colon is taken when the test has no value. */
  value(node: AstNode, facts: Facts): void {
    if (node.type !== "condition") {
      for (const child of childrenOf(node)) this.value(child, facts);
      return;
    }
    const condition = node.condition as AstNode;
    const absent = this.#untested(condition, facts);
    if (absent !== undefined) this.#addChoice(condition, absent);
    this.value(node.then as AstNode, union(facts, this.#presence.whenTrue(condition)));
    if (node.else !== undefined) this.value(node.else, union(facts, this.#presence.whenFalse(condition)));
  }

  /** Checks `a != "x"`, which is false of an absent `a`. */
  #unlike(node: AstNode, facts: Facts, sense: Sense): void {
    const absent = this.#absentOperand(node, facts);
    if (absent === undefined || !this.#isHarmful(false, sense)) return;
    const [left, right] = [node.lhs as AstNode, node.rhs as AstNode];
    this.#add(node, {
      absent,
      effect: "!= is false then",
      suggestion:
        this.#purpose === "any"
          ? `($exists(${this.#text(absent)}) and ${this.#text(node)})`
          : `$not(${this.#text(left)} = ${this.#text(right)})`,
    });
  }

  /**
   * Checks `$not(a = "x")`, which is true of an absent `a`. `denied` is `a = "x"` or `a in ["x"]`; `node` is
   * the whole expression or a part of it.
   */
  #alike(node: AstNode, denied: AstNode, facts: Facts): void {
    if (this.#purpose !== "allow" && this.#purpose !== "any") return;
    const absent = this.#absentOperand(denied, facts);
    if (absent === undefined) return;
    const [left, right] = [denied.lhs as AstNode, denied.rhs as AstNode].map((side) => this.#text(side));
    const text = this.#text(absent);
    const otherwise =
      denied.value === "=" && this.#purpose === "allow"
        ? `${left} != ${right}`
        : `($exists(${text}) and ${this.#text(node)})`;
    this.#add(node, {
      absent,
      effect: `${String(denied.value)} is false then, and its $not true`,
      suggestion: node === denied ? `($not($exists(${text})) or ${this.#text(denied)})` : otherwise,
    });
  }

  /** Checks `a < 18`, which has no value without `a`: a request that omits `a` passes a refusal. */
  #order(node: AstNode, facts: Facts, sense: Sense): void {
    const absent = this.#absentOperand(node, facts);
    const isHarmful = this.#purpose === "deny" || this.#purpose === "any";
    if (absent === undefined || !isHarmful || sense === "negated") return;
    const text = this.#text(absent);
    this.#add(node, {
      absent,
      effect: "a comparison with it is not true then",
      suggestion: `($not($exists(${text})) or ${this.#text(node)})`,
    });
  }

  /** Checks `$not` of an argument that may have no value: `$not` has none then either. */
  #negation(node: AstNode, denied: AstNode, facts: Facts, sense: Sense): void {
    const absent = this.#presence.absentPart(denied, facts);
    if (absent === undefined && denied.type === "binary" && ALIKE.has(denied.value)) {
      if (sense === "straight") this.#alike(node, denied, facts);
      return;
    }
    if (absent === undefined) {
      this.condition(denied, facts, sense === "straight" ? "negated" : "straight");
      return;
    }
    if (!this.#isHarmful(false, sense)) return;
    const [text, whole] = [this.#text(absent), this.#text(denied)];
    const isBoolean = this.#inference.shapeOf(denied).kinds.has("boolean");
    const suggestion =
      absent === denied && meaningOf(denied) === "matches" && denied.arguments?.length === 2
        ? `$not(${whole.replace(/^\$match/, "$contains")})`
        : absent !== denied && isBoolean
          ? `$not($exists(${text}) and ${whole})`
          : isBoolean
            ? `$not(${text} = true)`
            : `$not($exists(${text}))`;
    this.#add(node, { absent, effect: "$not of it is not true then", suggestion });
  }

  #choice(node: AstNode, facts: Facts, sense: Sense): void {
    const condition = node.condition as AstNode;
    const absent = this.#untested(condition, facts);
    const otherwise = node.else && this.#inference.shapeOf(node.else).constant;
    const outcome = typeof otherwise === "boolean" ? otherwise : undefined;
    if (absent !== undefined && (outcome === undefined || this.#isHarmful(outcome, sense)))
      this.#addChoice(condition, absent);
    this.condition(node.then as AstNode, union(facts, this.#presence.whenTrue(condition)), sense);
    if (node.else !== undefined)
      this.condition(node.else, union(facts, this.#presence.whenFalse(condition)), sense);
  }

  /** The part of a `? :` test whose absence makes the test untrue: an operand of `<`, `!=` and their like. */
  #untested(node: AstNode, facts: Facts): AstNode | undefined {
    const inner = onlyExpression(node);
    if (inner !== undefined) return this.#untested(inner, facts);
    if (node.type !== "binary") return undefined;
    const [left, right] = [node.lhs as AstNode, node.rhs as AstNode];
    if (node.value === "and" || node.value === "or") {
      const known = (other: AstNode) =>
        union(facts, node.value === "and" ? this.#presence.whenTrue(other) : this.#presence.whenFalse(other));
      return this.#untested(left, known(right)) ?? this.#untested(right, known(left));
    }
    return ORDERS.has(node.value) || node.value === "!=" ? this.#absentOperand(node, facts) : undefined;
  }

  #absentOperand(node: AstNode, facts: Facts): AstNode | undefined {
    const left = this.#presence.absentPart(node.lhs as AstNode, facts);
    return left ?? this.#presence.absentPart(node.rhs as AstNode, facts);
  }

  /** Whether `outcome` is dangerous for a part that has it only because an attribute is absent. */
  #isHarmful(outcome: boolean, sense: Sense): boolean {
    const whole = (sense === "straight") === outcome;
    if (this.#purpose === "any") return true;
    if (this.#purpose === "allow") return whole;
    return (this.#purpose === "deny" || this.#purpose === "match") && !whole;
  }

  #addChoice(condition: AstNode, absent: AstNode): void {
    this.#add(condition, {
      absent,
      effect: "the branch after the colon is taken then",
      suggestion: `$not($exists(${this.#text(absent)})) or ${this.#text(condition)}`,
    });
  }

  #add(
    node: AstNode,
    { absent, effect, suggestion }: { absent: AstNode; effect: string; suggestion: string },
  ): void {
    this.#inference.findings.add(node, {
      code: "PURSER_EXPR_ABSENT",
      severity: "warning",
      message: `${this.#text(absent)} may be absent, and ${effect}${EFFECT_OF[this.#purpose]}`,
      suggestion,
    });
  }

  #text(node: AstNode): string {
    return this.#inference.findings.textOf(node);
  }
}

/** The effect on the request, by the expression's purpose. */
const EFFECT_OF: Readonly<Record<Purpose, string>> = {
  deny: ": such a request is not refused",
  allow: ": such a request is let pass",
  match: ": such a request is not governed",
  audit: "",
  value: "",
  any: "",
};
