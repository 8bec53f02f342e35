// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { prometheus } from "../../../adapters/prometheus/index.ts";
import { adapterDeclaration, snapshotOf } from "../../../test/support/snapshots.ts";
import type { ExpositionFormat } from "../../../core/exposition/formats.ts";
import type { AdapterHandler } from "../../../core/hooks/extension.ts";
import {
  createCollectingLogger,
  createMemoryFiles,
  createRealTime,
  createSeededRandom,
  createTestContext,
  metricInstance,
} from "../../../plugins/sdk/testing/index.ts";
import { slowness } from "../../../test/support/slowness.ts";
import { createHttpClient } from "../../../plugins/sdk/http/client.ts";
import { createMixer, type Mixer } from "../../mixer.ts";

async function mixerWith(...handlers: readonly AdapterHandler[]): Promise<Mixer> {
  const time = createRealTime();
  const mixer = createMixer({
    clock: time.clock,
    scheduler: time.scheduler,
    random: createSeededRandom(),
    logger: createCollectingLogger(),
    files: () => createMemoryFiles(),
    spoolFiles: () => assert.fail("no spool here"),
    buildInThread: () => assert.fail("no thread here"),
    http: () => createHttpClient(time.clock),
  });
  await mixer.apply(
    snapshotOf({ handlers: handlers.map((handler, index) => adapterDeclaration(`h${index}`, handler)) }),
  );
  return mixer;
}

const SERIES = 100_000;

function handlerWith(series: number): AdapterHandler {
  const handler = prometheus.build(
    createTestContext(prometheus, { maxSeries: series, nativeHistograms: true }),
  );
  const { signal } = new AbortController();
  for (let index = 0; index < series; index++) {
    const labels = { user: `user-${index}`, path: `/orders/${index % 97}`, code: "200", "a b": "é" };
    void handler.metric?.([metricInstance({ labels })], { signal });
  }
  return handler;
}

/**
 * The longest turn of the event loop while the page is read, in milliseconds: the processor's time where that is less, because
 * a busy machine stops this process for longer than any turn takes.
 */
async function longestHold(
  mixer: Mixer,
  format: ExpositionFormat,
): Promise<{ holdMs: number; length: number }> {
  let holdMs = 0;
  let reading = true;
  const cpuMs = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  };
  let [wall, cpu] = [performance.now(), cpuMs()];
  const turn = (): void => {
    const [wallNow, cpuNow] = [performance.now(), cpuMs()];
    holdMs = Math.max(holdMs, Math.min(wallNow - wall, cpuNow - cpu));
    [wall, cpu] = [wallNow, cpuNow];
    if (reading) setImmediate(turn);
  };
  turn();
  let length = 0;
  for await (const part of await mixer.exposition(format)) length += part.length;
  reading = false;
  turn();
  return { holdMs, length };
}

describe("a page of 100,000 series", function () {
  this.timeout(60_000);
  let mixer: Mixer;

  const holdsBriefly = (format: ExpositionFormat) => async () => {
    let best = Number.POSITIVE_INFINITY;
    // Other processes may stop this one at any time, so the best of several counts.
    for (let attempt = 0; attempt < 6 && best >= 10; attempt++) {
      const { holdMs, length } = await longestHold(mixer, format);
      assert.ok(length > SERIES * 50, `${length} of ${format}`);
      best = Math.min(best, holdMs);
    }
    const bar = best < 10 ? 10 : 10 * slowness();
    assert.ok(
      best < bar,
      `the event loop was held for ${best.toFixed(1)} ms, with a bar of ${bar.toFixed(1)}`,
    );
  };

  describe("of families", () => {
    before(async () => {
      mixer = await mixerWith(handlerWith(SERIES));
    });
    after(() => mixer.close(1_000));

    for (const format of ["text", "openmetrics", "protobuf"] as const)
      it(`holds the event loop for less than 10 ms in ${format}`, holdsBriefly(format));
  });

  describe("of two handlers, one of them with text", () => {
    before(async () => {
      const line = (index: number): string => `requests_total{user="user-${index}",code="200"} ${index}\n`;
      const text = `# TYPE requests_total counter\n${Array.from({ length: SERIES }, (_, index) => line(index)).join("")}`;
      mixer = await mixerWith({ exposition: () => text, close() {} }, handlerWith(1_000));
    });
    after(() => mixer.close(1_000));

    it(
      "holds the event loop for less than 10 ms of a quiet machine while it is read and joined",
      holdsBriefly("text"),
    );
  });
});

describe("a page with handlers that fail", () => {
  it("keeps what was written of a family before it failed, and everything after", async () => {
    const failing: AdapterHandler = {
      exposition: () => [
        {
          name: "a",
          type: "gauge",
          series: (function* () {
            yield { labelNames: [], labels: [], value: 1 };
            throw new Error("no");
          })(),
        },
      ],
      close() {},
    };
    const mixer = await mixerWith(failing, { exposition: () => "b 2\nbroken{\n", close() {} });
    let text = "";
    for await (const part of await mixer.exposition("openmetrics")) text += String(part);
    assert.match(text, /^# TYPE a gauge\na 1\n# TYPE b unknown\nb 2\n# EOF\n$/m);
    await mixer.close(1_000);
  });
});
