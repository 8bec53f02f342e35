#!/usr/bin/env node
// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { loadMain } from "./start/load-main.ts";

const args = process.argv.slice(2);
const main = await loadMain(args);

// Parts stop their own work; leftovers, such as an upstream that never answers, must not keep the process
// alive.
process.exit(await main(args));
