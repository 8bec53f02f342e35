// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  type AdapterDefinition,
  type AdapterHandler,
  isPurserError,
  type ReportOutcome,
} from "../../plugins/sdk/index.ts";
import { createTestContext, type TestContext } from "../../plugins/sdk/testing/index.ts";
import { type HttpReceiver, startHttpReceiver } from "./http-receiver.ts";

/** The handlers of an adapter in front of one HTTP receiver, for the tests of a `describe`. */
export interface HttpAdapter<Config> {
  readonly receiver: HttpReceiver;
  /** The context of the last handler. */
  readonly context: TestContext<Config>;
  /** Builds a handler that sends to the receiver. Its connections end with the test. */
  readonly build: (config?: Readonly<Record<string, unknown>>) => AdapterHandler;
  /** The bodies of the requests that arrived in this test, read as JSON. */
  readonly bodies: <T>() => readonly T[];
}

/**
 * Registers hooks of the surrounding `describe`: the receiver runs for all tests, and forgets its requests before each.
 *
 * @param handler The handlers' name.
 * @param path Path of the receiver's URL, in the field `url` of the configuration.
 */
export function useHttpAdapter<Config>(
  definition: AdapterDefinition<Config>,
  { handler = "test", path = "" }: { readonly handler?: string; readonly path?: string } = {},
): HttpAdapter<Config> {
  let receiver: HttpReceiver | undefined;
  let contexts: TestContext<Config>[] = [];
  before(async () => {
    receiver = await startHttpReceiver();
  });
  beforeEach(() => receiver?.reset());
  afterEach(async () => {
    await Promise.all(contexts.map(({ http }) => http.close()));
    contexts = [];
  });
  after(() => receiver?.close());
  const running = (): HttpReceiver => receiver ?? assert.fail("the receiver runs within tests only");
  return {
    get receiver() {
      return running();
    },
    get context() {
      return contexts.at(-1) ?? assert.fail("no handler was built in this test");
    },
    build: (config = {}) => {
      const url = `${running().url}${path}`;
      const context = createTestContext(definition, { url, ...config }, { handler });
      contexts.push(context);
      return definition.build(context);
    },
    bodies: <T>() => running().requests.map(({ body }) => JSON.parse(body.toString()) as T),
  };
}

/** The positions of refused instances, none of which may be sent again; undefined when all were accepted. */
export function refusedForGood(outcome: ReportOutcome): readonly number[] | undefined {
  return outcome?.refused.map(({ index, error }) => {
    assert.ok(isPurserError(error) && !error.retryable, String(error));
    return index;
  });
}
