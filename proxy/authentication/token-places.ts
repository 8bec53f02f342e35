// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TokenPlace } from "../../core/traffic/resources/request-authentication.ts";
import { parseQuery } from "../../kernel/canonical/query.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";

/** The parts of a request that may hold a token. */
export interface TokenCarrier {
  readonly headers: HeaderList;
  /** With its `?`; empty when there is none. */
  query: string;
}

/** A token as a request brings it, with the place that it was found in. */
export interface FoundToken {
  readonly text: string;
  readonly place: TokenPlace;
}

/** A header's places, the longest prefix first: a value is a token of the first place whose prefix it begins with. */
type HeaderPlaces = readonly Extract<TokenPlace, { readonly kind: "header" }>[];

/** The places of a listener's rules. Equal places of several rules are one object here. */
export class TokenPlaces {
  readonly #headers: readonly (readonly [name: string, places: HeaderPlaces])[];
  readonly #params: readonly TokenPlace[];
  readonly #cookies: readonly TokenPlace[];

  constructor(places: readonly TokenPlace[]) {
    const distinct = [...new Map(places.map((place) => [placeKey(place), place])).values()];
    const headers = distinct.filter((place) => place.kind === "header");
    this.#headers = [...new Set(headers.map(({ name }) => name))].map((name) => [
      name,
      headers.filter((place) => place.name === name).toSorted((a, b) => b.prefix.length - a.prefix.length),
    ]);
    this.#params = distinct.filter(({ kind }) => kind === "param");
    this.#cookies = distinct.filter(({ kind }) => kind === "cookie");
  }

  /** The tokens of a request: of repeated fields, parameters and cookies, all. */
  find({ headers, query }: Readonly<TokenCarrier>): readonly FoundToken[] {
    let found: FoundToken[] | undefined;
    for (const [name, places] of this.#headers) {
      if (!headers.has(name)) continue;
      for (const value of headers.values(name)) {
        const place = places.find(({ prefix }) => beginsWith(value, prefix));
        if (place !== undefined)
          (found ??= []).push({ text: value.slice(place.prefix.length).trim(), place });
      }
    }
    if (this.#params.length > 0 && query.length > 1) {
      const { first, repeated } = parseQuery(query);
      for (const place of this.#params) {
        const value = first[place.name];
        if (value === undefined) continue;
        for (const text of repeated?.[place.name] ?? [value]) (found ??= []).push({ text, place });
      }
    }
    if (this.#cookies.length > 0 && headers.has("cookie")) {
      for (const [name, text] of headers.values("cookie").flatMap(cookiesOf)) {
        const place = this.#cookies.find((each) => each.name === name);
        if (place !== undefined) (found ??= []).push({ text, place });
      }
    }
    return found ?? NONE;
  }
}

const NONE: readonly FoundToken[] = [];

/** Equal for equal places. */
export function placeKey(place: TokenPlace): string {
  return JSON.stringify([place.kind, place.name, place.kind === "header" ? place.prefix.toLowerCase() : ""]);
}

/** Removes a token, so that neither policies, reports nor the upstream see it: the header, parameters or cookies as a whole. */
export function removeToken(request: TokenCarrier, place: TokenPlace): void {
  switch (place.kind) {
    case "header":
      request.headers.remove(place.name);
      return;
    case "param":
      request.query = withoutParameter(request.query, place.name);
      return;
    case "cookie": {
      const kept = request.headers
        .values("cookie")
        .flatMap((field) => field.split(";"))
        .filter((pair) => cookiesOf(pair).every(([name]) => name !== place.name))
        .map((pair) => pair.trim())
        .filter((pair) => pair !== "");
      if (kept.length === 0) request.headers.remove("cookie");
      else request.headers.set("cookie", kept.join("; "));
    }
  }
}

/** The query without a parameter in any spelling; the others stay as they are written. */
function withoutParameter(query: string, name: string): string {
  const kept = query
    .slice(1)
    .split("&")
    .filter((pair) => parseQuery(`?${pair}`).first[name] === undefined);
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}

/** Names and values of a Cookie field (RFC 6265, section 4.2.1). */
function cookiesOf(field: string): readonly (readonly [name: string, value: string])[] {
  return field.split(";").flatMap((pair): readonly (readonly [string, string])[] => {
    const mark = pair.indexOf("=");
    return mark < 0 ? [] : [[pair.slice(0, mark).trim(), unquoted(pair.slice(mark + 1).trim())]];
  });
}

/** A cookie's value may stand in quotes (RFC 6265, section 4.1.1). */
function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

/** Schemes of authentication have no case (RFC 9110, section 11.1). */
function beginsWith(value: string, prefix: string): boolean {
  return (
    value.length >= prefix.length && value.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase()
  );
}
