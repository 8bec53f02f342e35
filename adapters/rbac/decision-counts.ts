// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

const NAME = "purser_rbac_decisions_total";

/** Counts the decisions of one handler, as Prometheus text. */
export class DecisionCounts {
  readonly #labels: string;
  #allowed = 0;
  #refused = 0;

  constructor(handler: string, mode: string) {
    this.#labels = `handler="${escaped(handler)}",mode="${mode}"`;
  }

  count(allowed: boolean): void {
    if (allowed) this.#allowed++;
    else this.#refused++;
  }

  text(): string {
    return `# HELP ${NAME} Decisions of rbac handlers; in permissive mode, refused ones were let pass.
# TYPE ${NAME} counter
${NAME}{${this.#labels},decision="allowed"} ${this.#allowed}
${NAME}{${this.#labels},decision="refused"} ${this.#refused}
`;
  }
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
