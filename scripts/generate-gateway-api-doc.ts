// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes docs/reference/gateway-api.md from the kinds and the examples; with --check, fails when the committed file differs.
import { gatewayApiPage } from "./gateway-api-page.ts";
import { loadSamples } from "../test/istio/load-samples.ts";
import { writeOrCheck } from "./write-or-check.ts";

writeOrCheck("docs/reference/gateway-api.md", gatewayApiPage(loadSamples("gateway-api/")));
