// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Upstream } from "../upstream/upstream.ts";

const HEALTHY = "healthy";

/** An endpoint's health in the words of Envoy's `/clusters`: `healthy`, or the reasons why not. */
export function healthFlags({ checks, monitor }: Pick<Upstream, "checks" | "monitor">): string {
  let flags = "";
  if (checks?.state === "unhealthy") flags += "/failed_active_hc";
  if (checks?.state === "unchecked") flags += "/pending_active_hc";
  if (monitor?.isEjected === true) flags += "/failed_outlier_check";
  return flags === "" ? HEALTHY : flags;
}

/** The flags of an endpoint in two workers: every reason that one of them has. */
export function joinHealthFlags(a: string, b: string): string {
  const flags = new Set([a, b].flatMap((text) => (text === HEALTHY ? [] : text.split("/").slice(1))));
  return flags.size === 0 ? HEALTHY : [...flags].map((flag) => `/${flag}`).join("");
}
