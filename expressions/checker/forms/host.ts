// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseAuthority } from "../../../kernel/canonical/authority.ts";
import { Malformed } from "../../../kernel/canonical/malformed.ts";
import { listMisfit, type Misfit, type Span, type TextForm } from "./text-form.ts";

/** `request.host`: lower case, without port and final dot. */
export const HOST: TextForm = {
  noun: "a host",
  letters: "lower",
  numeric: false,
  family: "host",
  misfit: (text, span) => (text === "" ? undefined : (urlMisfit(text, span) ?? nameMisfit(text, span))),
};

function urlMisfit(text: string, { start }: Span): Misfit | undefined {
  const [, scheme, rest] = /^([A-Za-z][A-Za-z0-9+.-]*:\/\/)([^]*)$/.exec(text) ?? [];
  if (scheme !== undefined)
    return { reason: "a host has no scheme (request.scheme has it)", texts: [rest ?? ""] };
  if (text.includes("://")) return { reason: "a host has no scheme (request.scheme has it)" };
  const slash = text.indexOf("/");
  if (slash >= 0)
    return {
      reason: "a host has no path (request.url_path has it)",
      ...(slash > 0 ? { texts: [text.slice(0, slash)] } : {}),
    };
  const user = text.indexOf("@");
  if (user >= 0 && start) return { reason: "a host has no user", texts: [text.slice(user + 1)] };
  const list = listMisfit("a host", text);
  if (list !== undefined) return list;
  return undefined;
}

function nameMisfit(text: string, { start, end }: Span): Misfit | undefined {
  const [, name, port] = /^([^:]*):(\d+)$/.exec(text) ?? [];
  if (port !== undefined && end)
    return {
      reason: `a host has no port (request.port is ${port})`,
      ...(name === "" ? {} : { texts: [name as string] }),
    };
  if (text.includes("*")) return wildcardMisfit(text, start && end);
  if (end && text.endsWith(".") && text.length > 1)
    return { reason: "a host has no final dot", texts: [text.slice(0, -1)] };
  if (/[^\x21-\x7e]/.test(text))
    return { reason: "a host is in ASCII: other letters are written xn--… (Punycode)" };
  if (!start || !end) return undefined;
  const parsed = parseAuthority(text);
  if (parsed instanceof Malformed) {
    const bracketed = text.includes(":") ? parseAuthority(`[${text}]`) : parsed;
    if (bracketed instanceof Malformed) return { reason: `${JSON.stringify(text)} ${parsed.reason}` };
    return { reason: "a host that is an IPv6 address is in brackets", texts: [bracketed.host] };
  }
  if (parsed.host === text.toLowerCase()) return undefined;
  return { reason: "addresses have one spelling", texts: [parsed.host] };
}

function wildcardMisfit(text: string, whole: boolean): Misfit {
  const reason = "this compares the text as it stands: wildcards are for $glob";
  if (!whole) return { reason, ...(/^\*[^*]+$/.test(text) ? { texts: [text.slice(1)] } : {}) };
  const suffix = /^\*(\.[^*]+)$/.exec(text)?.[1];
  return {
    reason,
    condition: (subject) =>
      suffix === undefined
        ? `$glob(${subject}, ${JSON.stringify(text)})`
        : `$endsWith(${subject}, ${JSON.stringify(suffix.toLowerCase())})`,
  };
}
