// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** `purser/sdk/testing`: fakes for an author's own tests, and the contract suites that every extension must pass. */

export { type CollectingLogger, createCollectingLogger, type LogLine } from "./logger.ts";
export { createMemoryFiles, type MemoryFiles } from "./memory-files.ts";
export { createRealTime, createVirtualTime, type RealTime, type TestTime, type VirtualTime } from "./time.ts";
export { createSeededRandom } from "./seeded-random.ts";
export { expositionText } from "./exposition-text.ts";
export { createTestContext, type TestContext, type TestContextOptions } from "./context.ts";
export {
  type BackendScript,
  type FakeBackend,
  startFakeBackend,
  type TcpAddress,
} from "./fake-backend.ts";
export {
  decisionInstance,
  logEntryInstance,
  metricInstance,
  quotaRequest,
  sampleInstances,
  traceSpanInstance,
} from "./sample-instances.ts";
export type { ContractFinding, TestRunner } from "./contract/clause.ts";
export type { AdapterContractOptions } from "./contract/adapter-calls.ts";
export { checkAdapterContract, describeAdapterContract } from "./contract/adapter-contract.ts";
export { checkQuotaView } from "./contract/quota-view-clause.ts";
export type { PluginContractOptions } from "./contract/plugin-subject.ts";
export { checkPluginContract, describePluginContract } from "./contract/plugin-contract.ts";
