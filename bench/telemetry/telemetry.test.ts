// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { decodeReportRequest } from "../../api/json/report.ts";
import { CONTENDERS, documentsFor } from "./contenders.ts";
import { countsBetween, countsOf, totalOf } from "./deliveries.ts";
import { HELP, parseFlags } from "./options.ts";
import { BAGS, bagOf, reportBody, writeReportScript } from "./report-requests.ts";
import { judge, queueFigures, type Report, vcpuOfDifference } from "./report.ts";
import { tableOf } from "./table.ts";

describe("the reports of bench:telemetry", () => {
  it("are what the API accepts, each bag as its changes", () => {
    const body = reportBody(3, "an id");
    const { bags, deduplicationId } = decodeReportRequest(JSON.parse(body));
    assert.equal(deduplicationId, "an id");
    assert.deepEqual(
      bags,
      Array.from({ length: BAGS }, (_, index) => bagOf(3, index)),
    );
    assert.ok(body.length < JSON.stringify(bags).length / 2, `${body.length}`);
  });

  it("have a trace, a span and a duration of their own for each request", () => {
    const bags = [0, 1, 2].flatMap((report) =>
      Array.from({ length: BAGS }, (_, index) => bagOf(report, index)),
    );
    assert.equal(new Set(bags.map(({ request }) => request.trace_id)).size, 300);
    for (const { request, response } of bags) {
      assert.match(request.trace_id, /^[0-9a-f]{32}$/);
      assert.match(request.span_id, /^[0-9a-f]{16}$/);
      assert.ok(response.duration >= 0.4 && response.duration <= 90.4, `${response.duration}`);
    }
  });

  it("come as 20 bodies, each with a place for the id", () => {
    const folder = mkdtempSync(join(tmpdir(), "purser-bench-test-"));
    const script = readFileSync(writeReportScript(folder), "utf8");
    rmSync(folder, { recursive: true });
    assert.equal(
      [...script.matchAll(/^ {2}\{ \[==\[.*"deduplicationId":"\]==\], \[==\[".*\]==\] \},$/gm)].length,
      20,
    );
    assert.match(script, /"POST", "\/v1\/report"/);
  });
});

describe("the documents of bench:telemetry", () => {
  const namesFor = (contender: string): readonly string[] => {
    const { handlers = [] } = CONTENDERS.find(({ name }) => name === contender) ?? {};
    const text = documentsFor(handlers, { otlpPort: 4318, kafkaBroker: "127.0.0.1:9092" });
    return parseAllDocuments(text).map((document) => {
      const { kind, metadata, spec } = document.toJS() as {
        kind: string;
        metadata: { name: string };
        spec: { handlers?: readonly string[] };
      };
      return [kind, metadata.name, ...(spec.handlers ?? [])].join(" ");
    });
  };

  it("send nothing without handlers", () => assert.deepEqual(namesFor("none"), ["AccessPolicy loopback"]));

  it("send each handler the templates that it takes", () => {
    assert.deepEqual(namesFor("prometheus"), [
      "AccessPolicy loopback",
      "Handler prometheus",
      "Metric requests_total prometheus",
      "Metric request_duration prometheus",
    ]);
    assert.deepEqual(namesFor("all").slice(4), [
      "Metric requests_total prometheus kafka otlp",
      "Metric request_duration prometheus kafka otlp",
      "LogEntry access kafka otlp",
      "TraceSpan spans otlp",
    ]);
  });
});

describe("the deliveries of bench:telemetry", () => {
  const reply = (accepted: number, delivered: number, dropped: Record<string, number>, waiting: number) => ({
    handlers: [
      {
        name: "otlp",
        queues: [
          { template: "logentry", accepted, delivered, dropped, waiting },
          { template: "tracespan", accepted: 0, delivered: 0, dropped: {}, waiting: 0 },
        ],
      },
    ],
  });
  const before = countsOf(reply(100, 80, { "queue-full": 10 }, 10));
  const after = countsOf(reply(300, 200, { "queue-full": 60, attempts: 35 }, 5));

  it("are the differences of two readings, of the queues that got something", () => {
    const counts = countsBetween(before, after);
    assert.deepEqual(
      [...counts],
      [["otlp/logentry", { accepted: 200, delivered: 120, dropped: 85, waiting: 5 }]],
    );
    assert.deepEqual(totalOf(counts), { accepted: 200, delivered: 120, dropped: 85, waiting: 5 });
  });

  it("count from nothing for a queue that is new", () => {
    assert.deepEqual(countsBetween(new Map(), before).get("otlp/logentry"), {
      accepted: 100,
      delivered: 80,
      dropped: 10,
      waiting: 10,
    });
  });

  it("are shares over all rounds", () => {
    const counts = countsBetween(before, after);
    assert.deepEqual(queueFigures([counts, new Map(), counts]), {
      "otlp/logentry": { accepted: 400, delivered_share: 0.6, dropped_share: 0.425 },
    });
  });
});

describe("the options of bench:telemetry", () => {
  it("measure three rounds of three seconds unless told otherwise", () => {
    const { rounds, seconds, warmUp } = parseFlags([]);
    assert.deepEqual([rounds, seconds, warmUp], [3, 3, 12]);
  });

  it("refuse wrong values", () => {
    assert.throws(() => parseFlags(["--rounds", "0"]), /--rounds must be a whole number from 1 to 50, not 0/);
    assert.throws(() => parseFlags(["--fast"]), /--fast/);
  });

  it("name every contender in the help", () => {
    for (const { name, summary } of CONTENDERS)
      assert.ok(HELP.includes(name) && HELP.includes(summary), name);
  });
});

describe("the bars of bench:telemetry", () => {
  const met = (incrementNs: number | undefined, vcpu: number | undefined, errors: number) =>
    judge({ incrementNs, vcpu, errors }).map((bar) => bar.met);

  it("are met at their very values", () => assert.deepEqual(met(60, 0.03, 0), [true, true, true]));

  it("are missed beyond them", () => assert.deepEqual(met(60.1, 0.0301, 1), [false, false, false]));

  it("are not met by figures that are missing", () =>
    assert.deepEqual(met(Number.NaN, undefined, 0), [undefined, undefined, true]));

  it("take the processors of a proxy's difference round by round", () =>
    assert.deepEqual(vcpuOfDifference([0.5, 0.75, 1], [0.25, 0.5]), [0.25, 0.25]));
});

describe("the table of bench:telemetry", () => {
  const report: Report = {
    bars: judge({ incrementNs: 50, vcpu: undefined, errors: 0 }, "purser: no port"),
    increment_ns: { prometheus: 50 },
    reports: {
      none: {
        version: "v20.19.0",
        reports_per_s: 500,
        bags_per_s: 50_000,
        bags_per_cpu_s: 60_000,
        ratio_to_none: 1,
        cpu_ratio_to_none: 1,
        queues: {},
        rounds: [50_000],
        errors: 0,
        foreign_share: 0,
        resident_mb: 90,
      },
    },
    missing: { kafka: "java not found on PATH" },
    setting: { rounds: 1, seconds: 1, warm_up_s: 1, node: "v20.19.0", cpu: "a processor" },
  };

  it("names missing contenders and bars without a figure", () => {
    const table = tableOf(report);
    assert.match(table, /^missing kafka: java not found on PATH$/m);
    assert.match(table, /^\? {7}policy and telemetry at 1000 requests\/s: purser: no port$/m);
    assert.match(table, /^none +500 +50000 +60000 +- +1 +1 +- +- +0 +0 +90$/m);
  });
});
