// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Mocha's spec reporter that also writes the run's figures as JSON where MOCHA_JSON_REPORT says.
const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

module.exports = class SpecAndFigures extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.MOCHA_JSON_REPORT;
    if (file) runner.once("end", () => writeFileSync(file, JSON.stringify({ stats: this.stats })));
  }
};
