// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ConfigFault, durationMs } from "../sdk/index.ts";
import type { Config } from "./config.ts";
import { compileEntries } from "./entries.ts";

const MIN_REFRESH_MS = 1_000;

/** Checks beyond the schema. */
export function faultsOf(config: Config): readonly ConfigFault[] {
  const { type, entries, url, refresh, timeout, staleAfter, onStale, token } = config;
  const faults: ConfigFault[] = [];
  const compiled = compileEntries(type, entries);
  if (!compiled.ok)
    for (const { index, message } of compiled.faults) faults.push({ path: ["entries", index], message });
  const urlFault = url === undefined ? undefined : faultOfUrl(url);
  if (urlFault !== undefined) faults.push({ path: ["url"], message: urlFault });
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    faults.push({ path: ["token"], message: "token has a character that no bearer token has" });
  if (durationMs(refresh) < MIN_REFRESH_MS)
    faults.push({ path: ["refresh"], message: "refresh must be 1s at least" });
  if (durationMs(timeout) < 1) faults.push({ path: ["timeout"], message: "timeout must be 1ms at least" });
  if (staleAfter !== undefined && durationMs(staleAfter) <= durationMs(refresh))
    faults.push({ path: ["staleAfter"], message: "staleAfter must be longer than refresh" });
  if (onStale === "fail" && staleAfter === undefined)
    faults.push({ path: ["onStale"], message: "onStale: fail needs staleAfter" });
  return faults;
}

/** No message shows the URL: it may hold a password. */
function faultOfUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:\/\//i.test(text)) return "url is not an http or https URL";
  if (url.username !== "" || url.password !== "") return "url has a user or password: use token";
  if (url.hash !== "") return "url has a fragment, which no server is sent";
  return undefined;
}
