// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes Grafana's dashboards from deploy/grafana/dashboards.yaml; with --check, writes nothing and fails when a file differs.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { parse } from "yaml";

interface Panel {
  readonly title: string;
  readonly description?: string;
  /** Grafana's name of the unit; default: a short number. */
  readonly unit?: string;
  /** An expression whose last value is shown; or `queries`. */
  readonly stat?: string;
  readonly queries?: readonly { readonly expr: string; readonly legend: string }[];
  /** From this value on, a stat is red. */
  readonly thresholds?: number;
}

interface Variable {
  readonly label: string;
  /** Either fixed values, of which the first is chosen, or a query, of whose values all are chosen. */
  readonly values?: readonly string[];
  readonly query?: string;
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: Readonly<Record<string, Variable>>;
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[];
}

const SOURCE = new URL("../deploy/grafana/dashboards.yaml", import.meta.url);
const FOLDER = new URL("../deploy/grafana/dashboards/", import.meta.url);

/** Grafana's grid, in its units. */
const WIDTH = 24;
const SERIES = { width: 8, height: 8 };
const STAT_HEIGHT = 4;
const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

function panelOf(panel: Panel, id: number, gridPos: object): object {
  const { title, description, unit = "short", stat, queries, thresholds } = panel;
  const steps = [{ color: stat === undefined || thresholds === undefined ? "blue" : "green", value: null }];
  const above = thresholds === undefined ? [] : [{ color: "red", value: thresholds }];
  const targets = queries ?? [{ expr: stat ?? "", legend: "" }];
  return {
    id,
    type: stat === undefined ? "timeseries" : "stat",
    title,
    ...(description === undefined ? {} : { description }),
    gridPos,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        thresholds: { mode: "absolute", steps: [...steps, ...above] },
        ...(stat === undefined ? { custom: { fillOpacity: 10, showPoints: "never" } } : {}),
      },
      overrides: [],
    },
    options:
      stat === undefined
        ? { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } }
        : { reduceOptions: { calcs: ["lastNotNull"] }, colorMode: "value", graphMode: "area" },
    targets: targets.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + index),
      expr,
      legendFormat: legend,
    })),
  };
}

/** Rows of panels from left to right: stats share the width, time series are a third of it. */
function panelsOf({ rows }: Dashboard): readonly object[] {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: inRow } of rows) {
    panels.push({ id: panels.length + 1, type: "row", title, gridPos: { x: 0, y: y++, w: WIDTH, h: 1 } });
    let x = 0;
    let height = 0;
    const width = inRow.every(({ stat }) => stat !== undefined)
      ? Math.floor(WIDTH / inRow.length)
      : SERIES.width;
    for (const panel of inRow) {
      if (x + width > WIDTH) {
        x = 0;
        y += height;
      }
      height = panel.stat === undefined ? SERIES.height : STAT_HEIGHT;
      panels.push(panelOf(panel, panels.length + 1, { x, y, w: width, h: height }));
      x += width;
    }
    y += height;
  }
  return panels;
}

function variableOf([name, { label, values, query }]: readonly [string, Variable]): object {
  if (values !== undefined) {
    const [first = ""] = values;
    const options = values.map((value) => ({ text: value, value, selected: value === first }));
    return {
      name,
      label,
      type: "custom",
      query: values.join(","),
      options,
      current: { text: first, value: first },
    };
  }
  return {
    name,
    label,
    type: "query",
    datasource: DATASOURCE,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: ".*",
    current: { text: ["All"], value: ["$__all"] },
  };
}

function textOf(dashboard: Dashboard): string {
  const { uid, title, description, variables } = dashboard;
  const json = {
    uid,
    title: `Purser / ${title}`,
    description,
    tags: ["purser"],
    schemaVersion: 39,
    editable: true,
    refresh: "10s",
    time: { from: "now-15m", to: "now" },
    links: [{ type: "dashboards", title: "Purser", tags: ["purser"], asDropdown: true, keepTime: true }],
    templating: {
      list: [
        { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" },
        ...Object.entries(variables).map(variableOf),
      ],
    },
    panels: panelsOf(dashboard),
  };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

const dashboards = parse(readFileSync(SOURCE, "utf8")) as readonly Dashboard[];
const expected = new Map<string, string>(
  dashboards.map((dashboard) => [`${dashboard.uid.replace("purser-", "")}.json`, textOf(dashboard)]),
);
const present = new Set<string>(readdirSync(FOLDER));
const stale = [...present].filter((name) => !expected.has(name));
const different = [...expected].filter(
  ([name, text]) => !present.has(name) || readFileSync(new URL(name, FOLDER), "utf8") !== text,
);

if (process.argv.includes("--check")) {
  for (const name of [...stale, ...different.map(([name]) => name)]) {
    process.stderr.write(`deploy/grafana/dashboards/${name} differs from dashboards.yaml: run \`npm run generated\`
`);
    process.exitCode = 1;
  }
} else {
  for (const name of stale) rmSync(new URL(name, FOLDER));
  for (const [name, text] of different) writeFileSync(new URL(name, FOLDER), text);
}
