// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

export const ENFORCEMENT_MODES = ["enforce", "shadow"] as const;

/** `enforce` acts; `shadow` decides, counts and logs, and never acts. */
export type EnforcementMode = (typeof ENFORCEMENT_MODES)[number];
