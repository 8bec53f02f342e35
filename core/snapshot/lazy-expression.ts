// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import type { CompileExpression, EvaluationContext, Expression } from "../expressions/expression.ts";
import { ExpressionError } from "../../expressions/errors/expression-error.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";

/**
 * An expression that is compiled on first use. An invalid expression fails each evaluation, so that its
 * document's onError decides; that happens when another version of Purser has checked the document.
 */
export class LazyExpression implements Expression {
  readonly source: string;
  readonly #compile: CompileExpression;
  #compiled: Expression | undefined;

  constructor(source: string, compile: CompileExpression) {
    this.source = source;
    this.#compile = compile;
  }

  get engine(): Expression["engine"] {
    return this.#expression.engine;
  }

  get references(): Expression["references"] {
    return this.#expression.references;
  }

  get cacheable(): boolean {
    return this.#expression.cacheable;
  }

  evaluate(bag: AttributeBag, context: EvaluationContext): MaybePromise<unknown> {
    return this.#expression.evaluate(bag, context);
  }

  get #expression(): Expression {
    this.#compiled ??= this.#compileNow();
    return this.#compiled;
  }

  #compileNow(): Expression {
    const result = this.#compile(this.source);
    return result.ok ? result.expression : failing(this.source, result.fault);
  }
}

type CompileFault = Extract<ReturnType<CompileExpression>, { readonly ok: false }>["fault"];

function failing(source: string, { code, message }: CompileFault): Expression {
  return {
    source,
    engine: "interpreted",
    references: { paths: [], exact: true },
    cacheable: true,
    evaluate: () => {
      throw new ExpressionError(code, message);
    },
  };
}
