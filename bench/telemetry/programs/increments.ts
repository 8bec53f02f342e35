// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { measureIncrements } from "../increments.ts";

// Prints the times of an increment as JSON. It is a program of its own, so that it runs on the contenders' core and by the
// Node.js of --node.
process.stdout.write(JSON.stringify(measureIncrements()));
