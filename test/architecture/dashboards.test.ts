// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { createClientStats } from "../../proxy/policy/stats.ts";
import { filesEndingIn, readText, ROOT } from "../support/documentation.ts";
import {
  adapterMetrics,
  documentMetrics,
  type KnownMetric,
  programMetrics,
  seriesOf,
} from "../support/program-metrics.ts";
import { namesIn, type Selector } from "../support/promql.ts";
import { requireService } from "../support/services.ts";

// The dashboards and alert rules in deploy/ name metrics, labels and label values that exist, and every expression parses.

interface Query {
  readonly where: string;
  readonly expr: string;
  /** Texts with `{{label}}`. */
  readonly templates: readonly string[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly definition?: string }[];
  };
}

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Values among the events that go down as well. */
const GAUGE_EVENTS: readonly string[] = ["check_cache_entries", "quota_queue_waiting"];

const ALERTS_FILE = "deploy/prometheus/alerts.yml";
const DASHBOARDS = filesEndingIn(".json", "deploy/grafana/dashboards").map(
  (path) => JSON.parse(readText(path)) as Dashboard,
);
const ALERTS = (
  parse(readText(ALERTS_FILE)) as { readonly groups: readonly { readonly rules: readonly Alert[] }[] }
).groups.flatMap(({ rules }) => rules);

const PANEL_QUERIES: readonly Query[] = DASHBOARDS.flatMap(({ uid, panels }) =>
  panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({
      where: `${uid}: ${title}`,
      // Grafana replaces the interval; the other variables are inside strings.
      expr: expr.replaceAll("$__rate_interval", "1m"),
      templates: [legendFormat],
    })),
  ),
);
const ALERT_QUERIES: readonly Query[] = ALERTS.map(({ alert, expr, annotations = {} }) => ({
  where: alert,
  expr,
  templates: Object.values(annotations).map((text) => text.replaceAll("$labels.", "")),
}));
const QUERIES = [...PANEL_QUERIES, ...ALERT_QUERIES];

/** Labels that Prometheus adds to every series. */
const TARGET_LABELS = ["job", "instance"];
const UP: KnownMetric = { type: "gauge", labels: [] };

const API = readText("docs/reference/api.md");
const METRIC_ROWS = [...API.matchAll(/^\| (`[a-z][\w`, ]*`) \|([^|]*)\| (.*) \|$/gm)].map(
  ([, names = "", labels = "", text = ""]) => ({ names: quoted(names), labels, text }),
);

function quoted(text: string): readonly string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, word]) => word as string);
}

describe("dashboards and alert rules", () => {
  let program: ReadonlyMap<string, KnownMetric>;
  let documents: ReadonlyMap<string, KnownMetric>;
  let known: ReadonlyMap<string, KnownMetric>;

  before(async () => {
    program = await programMetrics();
    documents = seriesOf(documentMetrics(readText("examples/bookshop/mesh/telemetry.yaml")));
    const adapters = filesEndingIn("README.md", "adapters").flatMap((path) => [
      ...adapterMetrics(readText(path)),
    ]);
    known = new Map([...seriesOf(program), ...adapters, ...documents, ["up", UP]]);
    assert.ok(PANEL_QUERIES.length > 50);
    assert.ok(ALERTS.length > 15);
  });

  const labelsOf = (metric: string): readonly string[] => [
    ...TARGET_LABELS,
    ...(known.get(metric)?.labels ?? []),
  ];

  it("name only metrics and labels that exist", () => {
    const unknown = QUERIES.flatMap(({ where, expr }) => {
      const { selectors, grouping } = namesIn(expr);
      return selectors.flatMap(({ metric, matchers }) => {
        if (!known.has(metric)) return [`${where}: no metric ${metric}`];
        return [...matchers.map(({ label }) => label), ...grouping]
          .filter((label) => !labelsOf(metric).includes(label))
          .map((label) => `${where}: ${metric} has no label ${label}`);
      });
    });
    assert.deepEqual(unknown, []);
  });

  it("offer variables of metrics and labels that exist", () => {
    const variables = DASHBOARDS.flatMap(({ templating }) => templating.list);
    const queries = variables.flatMap(({ definition }) => definition ?? []);
    assert.ok(queries.length >= DASHBOARDS.length);
    for (const query of queries) {
      const [, metric = "", label = ""] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? [];
      assert.ok(labelsOf(metric).includes(label), query);
    }
  });

  it("use only variables that their dashboard offers", () => {
    for (const { uid, panels, templating } of DASHBOARDS) {
      const offered = new Set(["__rate_interval", ...templating.list.map(({ name }) => name)]);
      const used = [...JSON.stringify(panels).matchAll(/\$\{?(\w+)/g)].map(([, name = ""]) => name);
      assert.deepEqual(
        [...new Set(used)].filter((name) => !offered.has(name)),
        [],
        uid,
      );
      assert.deepEqual(
        [...offered].filter((name) => !used.includes(name)),
        [],
        uid,
      );
    }
  });

  it("show only labels that the result has", () => {
    const unknown = QUERIES.flatMap(({ where, expr, templates }) => {
      const { selectors, grouping } = namesIn(expr);
      const labels = grouping.length > 0 ? grouping : selectors.flatMap(({ metric }) => labelsOf(metric));
      return templates
        .flatMap((text) => [...text.matchAll(/\{\{ ?(\w+) ?\}\}/g)].map(([, label = ""]) => label))
        .filter((label) => !labels.includes(label))
        .map((label) => `${where}: ${label}`);
    });
    assert.deepEqual(unknown, []);
  });

  it("compare labels with values that the documentation has", () => {
    const events = [...Object.keys(createClientStats()), ...GAUGE_EVENTS];
    const kinds = [...readText("docs/reference/documents.md").matchAll(/^## (\w+)$/gm)].map(
      ([, kind]) => kind as string,
    );
    const valuesOf = (metric: string): readonly string[] => [
      ...METRIC_ROWS.filter(({ names }) => names.includes(metric)).flatMap(({ text }) => quoted(text)),
      ...(metric === "purser_proxy_mixer_client_total" ? events : kinds),
    ];
    const checked = QUERIES.flatMap(({ where, expr }) =>
      namesIn(expr)
        .selectors.filter(({ metric }) => program.has(metric))
        .flatMap(({ metric, matchers }) =>
          matchers
            .filter(({ label, value }) => !TARGET_LABELS.includes(label) && !value.includes("$"))
            .flatMap(({ value }) => value.split("|").map((part) => ({ where, metric, part }))),
        ),
    );
    assert.ok(checked.length > 20);
    const wrong = checked.filter(({ metric, part }) =>
      part.endsWith(".*")
        ? !valuesOf(metric).some((value) => value.startsWith(part.slice(0, -2)))
        : !valuesOf(metric).includes(part),
    );
    assert.deepEqual(wrong, []);
  });

  it("read counters by their increase, and gauges as they are", () => {
    const INCREASES = ["rate", "increase"];
    const isGauge = ({ metric, matchers }: Selector): boolean =>
      known.get(metric)?.type === "gauge" || matchers.some(({ value }) => GAUGE_EVENTS.includes(value));
    for (const { where, expr } of PANEL_QUERIES)
      for (const selector of namesIn(expr).selectors)
        assert.equal(INCREASES.includes(selector.within), !isGauge(selector), `${where}: ${selector.metric}`);
    // Rules also compare counters with their past selves.
    for (const { where, expr } of ALERT_QUERIES)
      for (const selector of namesIn(expr).selectors.filter(isGauge))
        assert.ok(!INCREASES.includes(selector.within), `${where}: ${selector.metric}`);
  });

  it("show every metric of the program except a few", () => {
    const shown = new Set(QUERIES.flatMap(({ expr }) => namesIn(expr).selectors.map(({ metric }) => metric)));
    const hidden = [...program].flatMap(([name, { type }]) =>
      shown.has(type === "histogram" ? `${name}_bucket` : name) ? [] : [name],
    );
    // A new metric belongs in deploy/grafana/dashboards.yaml, or here if nobody would look at it.
    assert.deepEqual(hidden.toSorted(), [
      "nodejs_eventloop_lag_p50_seconds",
      "nodejs_heap_size_used_bytes",
      "process_start_time_seconds",
      "purser_identity_polls_held",
      "purser_mixer_config_documents",
      "purser_mixer_config_reloads_total",
      "purser_mixer_handler_leaks_total",
      "purser_mixer_report_bags_total",
      "purser_mixer_report_repeats_total",
      "purser_pilot_config_info",
      "purser_pilot_http_answers_total",
      "purser_pilot_mtls_step",
      "purser_pilot_polls_held",
      "purser_pilot_updates_total",
      "purser_pilot_watchers",
      "purser_proxy_cors_requests_total",
      "purser_proxy_mirrored_requests_total",
      "purser_proxy_overload_baseline_seconds",
      "purser_proxy_overload_priority_faults_total",
      "purser_proxy_upgrades_total",
      "purser_proxy_workers",
    ]);
  });

  it("have panels and dashboards with names of their own", () => {
    const unique = (names: readonly unknown[]): void =>
      assert.equal(new Set(names).size, names.length, String(names));
    unique(DASHBOARDS.map(({ uid }) => uid));
    for (const { panels } of DASHBOARDS) {
      unique(panels.filter(({ targets }) => targets !== undefined).map(({ title }) => title));
      unique(panels.map(({ id }) => id));
    }
  });

  it("are documented: docs/reference/api.md has the labels of each metric", () => {
    const documented = METRIC_ROWS.flatMap(({ names, labels }) => {
      const lists = labels.split(";").map((list) => list.split(",").map((label) => label.trim()));
      return names.map(
        (name, index) => [name, (lists[index] ?? lists[0] ?? []).filter((label) => label !== "")] as const,
      );
    }).filter(([name]) => program.has(name) && name.startsWith("purser_"));
    assert.ok(documented.length > 40);
    for (const [name, labels] of documented) assert.deepEqual(labels, program.get(name)?.labels, name);
  });
});

describe("alert rules", () => {
  const operations = readText("docs/guides/operations.md");
  const runbook = operations.split(/^## /m).find((part) => part.startsWith("When an alert fires\n")) ?? "";
  const anchorOf = (heading: string): string => heading.toLowerCase().replaceAll(" ", "-");

  it("have a time, a severity, a summary and a section of the runbook that names them", () => {
    const sections = new Map(
      runbook
        .split(/^### /m)
        .slice(1)
        .map((text) => [anchorOf(text.split("\n", 1)[0] ?? ""), text]),
    );
    for (const { alert, for: time, labels, annotations = {} } of ALERTS) {
      assert.match(time ?? "", /^\d+[sm]$/, alert);
      assert.match(labels?.severity ?? "", /^(critical|warning)$/, alert);
      assert.match(annotations["summary"] ?? "", /\.$/, alert);
      const [, anchor = ""] =
        /Runbook: docs\/guides\/operations\.md#([\w-]+)$/.exec(annotations["description"] ?? "") ?? [];
      assert.ok(sections.get(anchor)?.includes(`\`${alert}\``), `${alert} is not in the section ${anchor}`);
    }
  });

  it("exist when the runbook names them", () => {
    const names = new Set(ALERTS.map(({ alert }) => alert));
    assert.deepEqual(
      (runbook.match(/\bPurser[A-Z]\w+/g) ?? []).filter((name) => !names.has(name)),
      [],
    );
  });
});

describe("promtool", () => {
  let folder: string;
  let promtool: string;

  before(function () {
    promtool = requireService(this, "promtool");
    folder = mkdtempSync(join(tmpdir(), "purser-rules-"));
  });

  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  function check(...args: readonly string[]): void {
    const { status, stdout, stderr } = spawnSync(promtool, args, {
      cwd: join(ROOT, "deploy/prometheus"),
      encoding: "utf8",
      timeout: 15_000,
    });
    assert.equal(status, 0, `promtool ${args.join(" ")}\n${stdout}${stderr}`);
  }

  it("accepts Prometheus' configuration and the alert rules", () =>
    check("check", "config", "prometheus.yml"));

  it("passes the tests of the alert rules", () => check("test", "rules", "alerts.test.yml"));

  it("parses every expression of the dashboards", () => {
    const file = join(folder, "dashboards.yml");
    // JSON is YAML. Recording rules take any expression, and need a name of their own.
    const rules = PANEL_QUERIES.map(({ where, expr }, index) => ({
      record: `panel_${index}`,
      expr,
      labels: { where },
    }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboards", rules }] }));
    check("check", "rules", file);
  });

  it("refuses an expression that is wrong", () => {
    const file = join(folder, "wrong.yml");
    writeFileSync(
      file,
      JSON.stringify({ groups: [{ name: "x", rules: [{ record: "x", expr: "sum(up" }] }] }),
    );
    assert.throws(() => check("check", "rules", file), /unclosed left parenthesis/);
  });
});
