// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { FOLLOWED_PAGES, readText } from "../support/documentation.ts";
import { requireRegistry } from "../support/npm-folder.ts";
import { followPage } from "./follow-page.ts";
import { requireFreePorts } from "./free-ports.ts";
import { faultsOfSteps, type PageStep, stepsOf } from "./page-steps.ts";

// Each page is followed like a reader would follow it: its files are written, its commands are run, and what they print is compared
// with what the page shows. The pages name fixed ports, so that they are followed one after another.

/** Most blocks of commands that no test runs. */
const MAX_NOT_RUN = 35;

const PAGES = FOLLOWED_PAGES.map((path) => ({ path, steps: stepsOf(readText(path)) }));

const isRun = ({ kind }: PageStep): boolean =>
  kind === "commands" || kind === "background" || kind === "results";

describe("a reader who follows a page literally", function () {
  this.timeout(300_000);

  for (const { path, steps } of PAGES) {
    it(`finds a decision for each block: ${path}`, () => {
      assert.deepEqual(faultsOfSteps(readText(path)), []);
    });
    if (!steps.some(isRun)) continue;
    it(`finds every command and result true: ${path}`, async function () {
      await requireFreePorts(path, steps);
      await followPage(path, steps, (run) => requireRegistry(this, run));
    });
  }

  it("can run nearly everything", () => {
    const skipped = PAGES.flatMap(({ path, steps }) =>
      steps.flatMap((step) => (step.kind === "not run" ? [`${path}:${step.line}: ${step.reason}`] : [])),
    );
    for (const line of skipped) console.log(`      not run: ${line}`);
    assert.ok(skipped.length <= MAX_NOT_RUN, `${skipped.length} blocks of commands are not run`);
  });
});
