// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { FOLLOWED_PAGES, readText } from "../support/documentation.ts";
import { requireRegistry } from "../support/npm-folder.ts";
import { followPage } from "./follow-page.ts";
import { faultsOfSteps, type PageStep, stepsOf } from "./page-steps.ts";

// Each page is followed like a reader would follow it: its files are written, its commands are run, and what they print is compared
// with what the page shows. The pages name fixed ports, so that they are followed one after another.

/** Most blocks of commands that no test runs. */
const MAX_NOT_RUN = 40;

/** Ports of `purser run` and of the services, unless flags say otherwise. */
const DEFAULT_PORTS = [8080, 9092, 15_000, 15_010, 15_012, 15_014];

const PAGES = FOLLOWED_PAGES.map((path) => ({ path, steps: stepsOf(readText(path)) }));

const isRun = ({ kind }: PageStep): boolean =>
  kind === "commands" || kind === "background" || kind === "results";

/** The ports that a page's commands and documents name. */
function portsOf(steps: readonly PageStep[]): readonly number[] {
  const text = steps
    .filter(({ kind }) => kind !== "not run")
    .map((step) => step.text)
    .join("\n");
  const named = [...text.matchAll(/(?:127\.0\.0\.1:|localhost:|-port[ =]|[A-Z]+=)(\d{4,5})\b/g)];
  const serves = /purser (?:run|mixer|pilot|proxy|identity --)/.test(text);
  return [...new Set([...named.map(([, port]) => Number(port)), ...(serves ? DEFAULT_PORTS : [])])];
}

/** Fails when another program listens on a port of the page. */
async function requireFreePorts(path: string, steps: readonly PageStep[]): Promise<void> {
  for (const port of portsOf(steps)) {
    const server = createServer();
    const listening = once(server, "listening");
    server.listen(port, "127.0.0.1");
    await listening.catch((error: Error) =>
      assert.fail(`${path} uses port ${port}, which another program has taken: ${error.message}`),
    );
    server.close();
    await once(server, "close");
  }
}

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
