// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The argument with which the program runs as a worker of a pool; not a command for people. */
export const WORKER_ARGUMENT = "proxy-worker";
