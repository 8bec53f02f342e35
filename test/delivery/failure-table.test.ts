// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_DELIVERY } from "../../core/snapshot/build-handlers.ts";
import type { HandlerDeliverySettings } from "../../core/snapshot/snapshot.ts";
import type { DeliveryPort } from "../../delivery/port.ts";
import type { DeliveryStats } from "../../delivery/stats.ts";
import { Handler } from "../../mixer/runtime/handlers/handler.ts";
import { SpoolFolder } from "../../mixer/runtime/handlers/spool-folder.ts";
import { MixerMetrics } from "../../mixer/runtime/metrics/mixer-metrics.ts";
import { createHttpClient } from "../../plugins/sdk/http/client.ts";
import {
  createCollectingLogger,
  createMemoryFiles,
  createRealTime,
  createTestContext,
} from "../../plugins/sdk/testing/index.ts";
import { eventually } from "../support/eventually.ts";
import { Backend, type BackendOptions, type Behaviour } from "./backend.ts";
import { type RealServer, type Route, type Subject, SUBJECTS } from "./subjects.ts";

// Every adapter behind the host's own delivery, in front of a backend that fails in every way. The table of what became of the
// instances stands in docs/explanation/delivery.md; UPDATE_TABLE=1 writes it.

const PAGE = fileURLToPath(new URL("../../docs/explanation/delivery.md", import.meta.url));
const MARKS = ["<!-- table of failures: begin -->\n", "<!-- table of failures: end -->\n"] as const;

const AWAY_MS = 60_000;
const TIMEOUT_MS = 600;

const COLUMNS: Readonly<Record<string, (subject: Subject) => readonly Behaviour[] | undefined>> = {
  hangs: () => ["hangs"],
  "resets mid-answer": () => ["resets"],
  slow: () => ["is slow"],
  "429": () => [{ status: 429, headers: "retry-after: 1\r\n" }],
  "503": () => [{ status: 503 }],
  "500": () => [{ status: 500 }],
  "4xx": () => [{ status: 400 }],
  "413": () => [{ status: 413 }],
  garbage: () => ["answers garbage"],
  "partial failure": ({ partial }) => (partial === undefined ? undefined : [partial]),
};

class Run {
  readonly handler: Handler;
  readonly queue: DeliveryPort<unknown>;
  readonly #time = createRealTime();

  constructor(subject: Subject, port: number, settings: Partial<HandlerDeliverySettings>, folder: string) {
    const { definition, template, config } = subject;
    const { clock, scheduler } = this.#time;
    const logger = createCollectingLogger();
    this.handler = new Handler(
      {
        name: definition.name,
        location: { file: join(folder, "mesh.yaml"), line: 1, column: 1 },
        definition,
        config: createTestContext(definition, config(port)).config,
        isolation: "none",
        signature: "",
        delivery: { ...DEFAULT_DELIVERY, lingerMs: 10, timeoutMs: TIMEOUT_MS, ...settings },
      },
      {
        clock,
        scheduler,
        random: Math.random,
        logger,
        files: () => createMemoryFiles(),
        http: () => createHttpClient(clock),
        spoolFiles: (_, path) => new SpoolFolder(join(folder, ...path)),
        buildInThread: () => assert.fail("no thread here"),
        metrics: new MixerMetrics(clock, () => []),
      },
    );
    this.queue = this.handler.deliveries.get(template) as DeliveryPort<unknown>;
  }

  /** Waits until every instance is settled, and checks that each is counted once. */
  async settled(items: number, deadlineMs: number): Promise<DeliveryStats> {
    await eventually(async () => await Promise.resolve(assert.equal(this.queue.stats.waiting, 0)), {
      deadlineMs,
    });
    const { stats } = this.queue;
    const dropped = Object.values(stats.dropped).reduce((sum, count) => sum + count, 0);
    assert.equal(stats.accepted, items);
    assert.equal(stats.delivered + dropped, items, JSON.stringify(stats));
    return stats;
  }

  async close(): Promise<void> {
    await this.handler.close(1_000);
    this.#time.cancelAll();
  }
}

/** What became of two instances. Without statuses, requests are connections, of which a client may have several. */
function outcomeOf(
  { delivered, dropped, retried }: DeliveryStats,
  { withoutStatus }: Subject,
  requests: number,
): string {
  if (delivered === 2) {
    if (retried > 0) return "retried";
    return requests > 1 && withoutStatus !== true ? "split" : "delivered";
  }
  const reasons = Object.entries(dropped).map(([reason, items]) => `${items} dropped (${reason})`);
  return [...(delivered > 0 ? [`${delivered} delivered`] : []), ...reasons].join(", ");
}

/** A subject with the server that accepts its requests. */
interface Case {
  readonly subject: Subject;
  readonly backend: BackendOptions;
  /** For the cell that runs beside the others. */
  readonly awayBackend: BackendOptions;
}

async function cellOf(
  { subject, backend: options }: Case,
  plan: readonly Behaviour[],
  folder: string,
  instances: readonly unknown[] = [0, 1].map((index) => subject.instance(index)),
): Promise<string> {
  const backend = await Backend.start(options);
  const run = new Run(subject, backend.port, {}, folder);
  try {
    const before = Array.from({ length: subject.connectionsBefore ?? 0 }, () => "accepts" as const);
    backend.plan = [...before, ...plan];
    for (const instance of instances) run.queue.offer(instance);
    const stats = await run.settled(2, 20_000);
    assert.equal(backend.plan.length, 0, "the backend did not come to its behaviour");
    return outcomeOf(stats, subject, backend.requests);
  } finally {
    await run.close();
    await backend.close();
  }
}

/** A backend that refuses connections at first, for less time than the attempts last. */
async function refusedCell({ subject, backend: options }: Case, folder: string): Promise<string> {
  const backend = await Backend.start(options);
  await backend.close();
  const run = new Run(subject, backend.port, { attempts: 20 }, folder);
  try {
    for (const index of [0, 1]) run.queue.offer(subject.instance(index));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await backend.open();
    return outcomeOf(await run.settled(2, 30_000), subject, backend.requests);
  } finally {
    await run.close();
    await backend.close();
  }
}

/** A backend that is gone for a minute, while instances come, with at-least-once. */
async function awayCell({ subject, awayBackend }: Case, folder: string): Promise<string> {
  const backend = await Backend.start(awayBackend);
  const spool = {
    directory: "spool",
    maxBytes: 64 * 1024 * 1024,
    fsync: "interval",
    onDiskFailure: "memory",
  } as const;
  const settings = {
    class: "at-least-once",
    attempts: Number.POSITIVE_INFINITY,
    queueSize: 100,
    spool,
  } as const;
  const run = new Run(subject, backend.port, settings, folder);
  try {
    await eventually(async () => await Promise.resolve(assert.notEqual(run.queue.stats, undefined)));
    await backend.close();
    let offered = 0;
    for (const endMs = performance.now() + AWAY_MS; performance.now() < endMs; ) {
      for (let count = 0; count < 20; count++) run.queue.offer(subject.instance(offered++));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await backend.open();
    const { delivered } = await run.settled(offered, 60_000);
    assert.equal(delivered, offered);
    return "all delivered";
  } finally {
    await run.close();
    await backend.close();
  }
}

describe("every adapter in front of a backend that fails", function () {
  this.timeout(900_000);
  let folder: string;

  const servers: RealServer[] = [];
  const cases: Case[] = [];

  before(async function () {
    folder = mkdtempSync(join(tmpdir(), "purser-failures-"));
    for (const subject of SUBJECTS) {
      const server = await subject.start?.(this);
      if (server !== undefined) servers.push(server);
      const backend = backendOptions(server, subject);
      cases.push({ subject, backend, awayBackend: backendOptions(server?.away ?? server, subject) });
    }
  });
  after(async () => {
    for (const server of servers) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("does what the table in docs/explanation/delivery.md says, and counts every instance once", async () => {
    const rows = cases.map(async (one) => {
      const { subject } = one;
      const { name } = subject.definition;
      const place = join(folder, `${name}-${subject.template}`);
      const away = awayCell(one, place);
      const cells: string[] = [await refusedCell(one, place)];
      for (const plan of Object.values(COLUMNS)) {
        const behaviours = plan(subject)?.filter(
          (behaviour) => typeof behaviour === "string" || subject.withoutStatus !== true,
        );
        cells.push(
          behaviours === undefined || behaviours.length === 0 ? "–" : await cellOf(one, behaviours, place),
        );
      }
      if (subject.refused !== undefined)
        cells[cells.length - 1] = await cellOf(one, [], place, [subject.refused(), subject.instance(0)]);
      return [`\`${name}\` (${subject.template})`, ...cells, await away, subject.receiver];
    });
    const table = tableText(await Promise.all(rows));
    const text = readFileSync(PAGE, "utf8");
    const [begin, end] = MARKS.map((mark) => text.indexOf(mark)) as [number, number];
    assert.ok(begin > 0 && end > begin, "docs/explanation/delivery.md has no place for the table");
    const from = begin + MARKS[0].length;
    if (process.env["UPDATE_TABLE"] === "1")
      writeFileSync(PAGE, text.slice(0, from) + table + text.slice(end));
    else assert.equal(text.slice(from, end), table);
  });
});

function backendOptions(route: Route | undefined, { accepted = { status: 204 } }: Subject): BackendOptions {
  if (route === undefined) return { accepted };
  const { url, port } = route;
  return { accepted: url, ...(port === undefined ? {} : { port }) };
}

function tableText(rows: readonly (readonly string[])[]): string {
  const head = ["adapter", "refused", ...Object.keys(COLUMNS), "gone 60 s, at-least-once", "receiver"];
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return `\n${lines.join("\n")}\n\n`;
}
