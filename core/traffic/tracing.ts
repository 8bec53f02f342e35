// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ListenerTracing } from "./resources/listener.ts";

/** The tracing of a listener for which the documents set none. */
export const DEFAULT_TRACING: ListenerTracing = { randomSamplingPercentage: 100, b3: "NONE" };
