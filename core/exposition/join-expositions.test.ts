// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { Counter, Histogram, Registry, Summary } from "prom-client";
import { requireService } from "../../test/support/services.ts";
import { sampleCount } from "./family.ts";
import { joinExpositions } from "./join-expositions.ts";
import { pageOf } from "./page.ts";
import { parseWholeText } from "./parse-text.ts";

interface LeftOut {
  readonly source: string;
  readonly family: string;
  readonly samples: number;
}

/** Joins texts of the sources s1, s2 … */
function join(...texts: string[]): { readonly text: string; readonly leftOut: readonly LeftOut[] } {
  const lost: LeftOut[] = [];
  const { families, leftOut } = joinExpositions(
    texts.map((text, index) => ({ source: `s${index + 1}`, families: parseWholeText(text).families })),
    (source, family, samples) => {
      const before = lost.findIndex((one) => one.source === source && one.family === family);
      if (before < 0) lost.push({ source, family, samples });
      else lost[before] = { source, family, samples: samples + (lost[before]?.samples ?? 0) };
    },
  );
  const text = [...pageOf(families, "text")].join("");
  for (const { source, family } of leftOut) {
    const samples = [...family.series].reduce((sum, series) => sum + sampleCount(series), 0);
    lost.push({ source, family: family.name, samples });
  }
  return { text, leftOut: lost };
}

describe("joining expositions", () => {
  it("writes a family once, with the series of all its sources and the first one's comments", () => {
    const { text, leftOut } = join(
      '# HELP a_total Of one.\n# TYPE a_total counter\na_total{x="1"} 1\n# TYPE b gauge\nb 2\n',
      '# HELP a_total Of two.\n# TYPE a_total counter\na_total{x="2"} 3\n',
    );
    assert.equal(
      text,
      '# HELP a_total Of one.\n# TYPE a_total counter\na_total{x="1"} 1\na_total{x="2"} 3\n# TYPE b gauge\nb 2\n',
    );
    assert.deepEqual(leftOut, []);
  });

  it("leaves out a later source's series that an earlier one has, whatever the order of its labels", () => {
    const { text, leftOut } = join(
      '# TYPE a_total counter\na_total{x="1",y="}, \\"q\\""} 1\n',
      '# TYPE a_total counter\na_total{ y = "}, \\"q\\"" , x="1", } 2 1700000000000\na_total{x="1"} 3\na_total 4\n',
      "# TYPE a_total counter\na_total 5\na_total{} 6\n",
    );
    assert.equal(
      text,
      '# TYPE a_total counter\na_total{x="1",y="}, \\"q\\""} 1\na_total{x="1"} 3\na_total 4\n',
    );
    assert.deepEqual(leftOut, [
      { source: "s2", family: "a_total", samples: 1 },
      { source: "s3", family: "a_total", samples: 2 },
    ]);
  });

  it("never mixes the buckets of two sources in one histogram", () => {
    const histogram = (bound: string, label = "") => {
      const more = label === "" ? "" : `,${label}`;
      const own = label === "" ? "" : `{${label}}`;
      return `# TYPE h histogram\nh_bucket{le="${bound}"${more}} 1\nh_bucket{le="+Inf"${more}} 1\nh_sum${own} 1\nh_count${own} 1\n`;
    };
    const other = histogram("2.0", 'x="1"');
    const { text, leftOut } = join(histogram("1.0"), histogram("2.0") + other);
    assert.equal(text, histogram("1.0") + other.replace(/^.*\n/, ""));
    assert.deepEqual(leftOut, [{ source: "s2", family: "h", samples: 4 }]);
  });

  it("leaves a family to the first source when types or sample names conflict", () => {
    const first = "# TYPE a counter\na 1\n# TYPE h histogram\nh_count 1\n";
    const { text, leftOut } = join(
      first,
      '# TYPE a gauge\na{x="1"} 1\n# TYPE h_count counter\nh_count{x="1"} 1\n',
      'h_sum 1\na{x="2"} 1\n',
    );
    assert.equal(text, first);
    assert.deepEqual(
      leftOut.map(({ source, family }) => `${source} ${family}`),
      ["s2 a", "s2 h_count", "s3 h_sum", "s3 a"],
    );
  });

  it("ends every line, and ignores comments and empty lines", () => {
    assert.equal(join("a 1", "# a remark\n\n \nb 2\n").text, "a 1\nb 2\n");
    assert.deepEqual(join("", "\n"), { text: "", leftOut: [] });
  });

  it("reports every lost sample, repeats no family and no series, and keeps the whole first source", () => {
    const family = fc.record({
      name: fc.constantFrom("a", "b", "a_sum"),
      type: fc.constantFrom("counter", "gauge", "summary"),
      samples: fc.uniqueArray(fc.stringMatching(/^[a-c}",\\ ]{0,2}$/), { maxLength: 3 }),
    });
    const source = fc.uniqueArray(family, { selector: ({ name }) => name, maxLength: 2 });
    // A source with both a summary `a` and a family `a_sum` is inconsistent in itself.
    const consistent = source.filter((families) => {
      const names = families.map(({ name, type }) => `${type} ${name}`);
      return !names.includes("summary a") || families.every(({ name }) => name !== "a_sum");
    });
    fc.assert(
      fc.property(fc.array(consistent, { minLength: 1, maxLength: 4 }), (sources) => {
        const texts = sources.map((families) =>
          families
            .map(
              ({ name, type, samples }) =>
                `# TYPE ${name} ${type}\n${samples.map((x) => `${sampleOf(name, type)}{x=${JSON.stringify(x)}} 1\n`).join("")}`,
            )
            .join(""),
        );
        const { text, leftOut } = join(...texts);
        const samples = samplesOf(text);
        const left = leftOut.reduce((sum, { samples: count }) => sum + count, 0);
        assert.equal(samples.length + left, texts.flatMap(samplesOf).length);
        assert.equal(new Set(samples).size, samples.length);
        const types = text.match(/^# TYPE \S+/gm) ?? [];
        assert.equal(new Set(types).size, types.length);
        for (const sample of samplesOf(texts[0] as string)) assert.ok(samples.includes(sample));
      }),
      { numRuns: 300 },
    );
  });

  it("writes text that Prometheus accepts", async function () {
    const promtool = requireService(this, "promtool");
    const exposition = (labels: Readonly<Record<string, string>>, buckets: number[]) => {
      const registry = new Registry();
      const common = { help: "H.", labelNames: Object.keys(labels), registers: [registry] };
      new Counter({ ...common, name: "requests_total" }).inc(labels, 2);
      new Histogram({ ...common, name: "latency_seconds", buckets }).observe(labels, 1);
      new Summary({ ...common, name: "size_bytes" }).observe(labels, 10);
      return registry.metrics();
    };
    const texts = [
      await exposition({ path: 'a "quoted" } \\ path' }, [1, 2]),
      await exposition({ path: 'a "quoted" } \\ path' }, [1, 3]),
      await exposition({}, [4]),
      "# TYPE requests_total gauge\nrequests_total 1\nlatency_seconds_sum 1",
    ];
    const check = (input: string) => spawnSync(promtool, ["check", "metrics"], { input, encoding: "utf8" });
    assert.notEqual(check(texts.join("\n")).status, 0, "the test tells good from bad");
    const { status, stdout, stderr } = check(join(...texts).text);
    assert.equal(status, 0, stdout + stderr);
  });
});

function sampleOf(family: string, type: string): string {
  return type === "summary" ? `${family}_sum` : family;
}

function samplesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}
