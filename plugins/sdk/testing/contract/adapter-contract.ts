// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AdapterDefinition } from "../../../../core/hooks/extension.ts";
import { ADAPTER_BACKEND_CLAUSES } from "./adapter-backend-clauses.ts";
import type { AdapterContractOptions, AdapterSubject } from "./adapter-calls.ts";
import { ADAPTER_CLAUSES } from "./adapter-clauses.ts";
import {
  type ContractClause,
  type ContractFinding,
  describeClauses,
  globalRunner,
  runClause,
} from "./clause.ts";

/** Registers the contract suite as tests: `describeAdapterContract(webhook, { config: { … } })`. */
export function describeAdapterContract<Config>(
  definition: AdapterDefinition<Config>,
  options: AdapterContractOptions = {},
): void {
  const title = `the contract of the adapter "${definition.name}": it`;
  const subject = { definition: definition as AdapterDefinition, options };
  describeClauses(title, clausesFor(options), subject, options.runner ?? globalRunner());
}

/** Runs the whole suite and returns the findings of each clause. */
export async function checkAdapterContract<Config>(
  definition: AdapterDefinition<Config>,
  options: AdapterContractOptions = {},
): Promise<readonly ContractFinding[]> {
  const findings: ContractFinding[] = [];
  for (const clause of clausesFor(options)) {
    findings.push(await runClause(clause, { definition: definition as AdapterDefinition, options }));
  }
  return findings;
}

function clausesFor(options: AdapterContractOptions): readonly ContractClause<AdapterSubject>[] {
  return options.backend === undefined ? ADAPTER_CLAUSES : [...ADAPTER_CLAUSES, ...ADAPTER_BACKEND_CLAUSES];
}
