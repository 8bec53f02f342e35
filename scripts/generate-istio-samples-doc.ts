// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes docs/reference/istio-samples.md from the samples; with --check, fails when the committed file differs.
import { loadSamples } from "../test/istio/load-samples.ts";
import { samplesPage } from "../test/istio/samples-page.ts";
import { writeOrCheck } from "./write-or-check.ts";

writeOrCheck("docs/reference/istio-samples.md", samplesPage(loadSamples()));
