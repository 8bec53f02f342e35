// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Mocha's spec reporter that also adds the run's figures and what failed, as a line of JSON, to the file that
// MOCHA_JSON_REPORT names.
const { appendFileSync } = require("node:fs");
const { reporters } = require("mocha");

module.exports = class SpecAndFigures extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.MOCHA_JSON_REPORT;
    if (!file) return;
    const failed = [];
    runner.on("fail", (runnable) => {
      failed.push({ title: runnable.fullTitle(), file: runnable.file ?? runnable.parent?.file });
    });
    runner.once("end", () => appendFileSync(file, `${JSON.stringify({ ...this.stats, failed })}\n`));
  }
};
