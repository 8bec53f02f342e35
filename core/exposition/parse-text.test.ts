// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { ExpositionFormat } from "./formats.ts";
import { pageOf } from "./page.ts";
import { parseWholeText } from "./parse-text.ts";

const rewritten = (text: string, format: ExpositionFormat = "text"): string =>
  [...pageOf(parseWholeText(text).families, format)].join("");

describe("a text that was read", () => {
  it("is written as it was, whatever its values", () => {
    const text = [
      '# HELP a_total Quotes " and \\\\ and \\n.',
      "# TYPE a_total counter",
      'a_total{x="1",y="} \\"q\\" \\\\ \\n é"} 1.5',
      "a_total -Inf 1700000000000",
      "# TYPE h histogram",
      'h_bucket{le="0.5",x="1"} 1',
      'h_bucket{le="+Inf",x="1"} 3',
      'h_sum{x="1"} NaN',
      'h_count{x="1"} 3',
      "# TYPE s summary",
      's{quantile="0.5"} 7',
      "s_count 1",
      "plain +Inf",
      "",
    ].join("\n");
    assert.equal(rewritten(text), text);
  });

  it("keeps the names of its series in OpenMetrics, and its timestamps in seconds", () => {
    const text = '# TYPE a_total counter\na_total 1 1500\n# TYPE b counter\nb 2\n# HELP c A "c".\nc 3\n';
    const openMetrics =
      '# TYPE a counter\na_total 1 1.5\n# TYPE b unknown\nb 2\n# HELP c A \\"c\\".\n# TYPE c unknown\nc 3\n# EOF\n';
    assert.equal(rewritten(text, "openmetrics"), openMetrics);
    // The family of the counter a_total would have the name of the gauge.
    assert.equal(
      rewritten("# TYPE a_total counter\na_total 1\n# TYPE a gauge\na 2\n", "openmetrics"),
      "# TYPE a_total unknown\na_total 1\n# TYPE a gauge\na 2\n# EOF\n",
    );
  });

  it("counts the samples that make no sense, and survives any text", () => {
    const { families, unreadable } = parseWholeText(
      '# TYPE h histogram\nh 1\nh_bucket 1\nh_bucket{le="x"} 1\na{b="1\na x\na\n{} 1\na 1 2 3\nb 1\n',
    );
    assert.deepEqual(
      families.map(({ name, series }) => [name, [...series].length]),
      [
        ["h", 0],
        ["b", 1],
      ],
    );
    assert.equal(unreadable, 8);
    const char = fc.constantFrom(
      ...Array.from('# HELPTYPEcounterhistogram{}"\\=,\n\t ale_bucket1.e+InfNaN é'),
    );
    fc.assert(
      fc.property(fc.array(char, { maxLength: 200 }), (chars) => {
        const once = rewritten(chars.join(""));
        assert.equal(rewritten(once), once);
      }),
      { numRuns: 2_000 },
    );
  });
});
