// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Agent, fetch } from "undici";
import { errorOfBody } from "../../api/json/error-body.ts";
import {
  decodeAudit,
  decodeAuditEntry,
  decodeListing,
  decodeTop,
  QUOTAS_AUDIT_PATH,
  QUOTAS_BLOCK_PATH,
  QUOTAS_PATH,
  QUOTAS_RAISE_PATH,
  QUOTAS_RESET_PATH,
  QUOTAS_TOP_PATH,
  withQuery,
} from "../../api/json/quota-operations.ts";
import {
  type AuditEntry,
  type AuditListing,
  type BlockCommand,
  type CountCommand,
  MAX_PAGE,
  type QuotaKey,
  type QuotaListing,
  type QuotaPolicyState,
  type RaiseCommand,
  type TopListing,
} from "../../api/quota-operations.ts";
import type { AdjustmentKind } from "../../core/quota/quota-view.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";

/** Deadline of one call, in milliseconds. */
const CALL_MS = 10_000;

/** Most pages of one listing: a store with many counts of other policies may return short pages. */
const MAX_PAGES = 1_000;

export interface ListFilter {
  readonly policy?: string | undefined;
  readonly key?: QuotaKey | undefined;
  /** Most counts of all pages together. */
  readonly limit: number;
}

/** The credentials of calls to a closed mixer. */
export interface MixerAccess {
  /** The Authorization field of a call; absent for none. */
  readonly authorization?: (() => string) | undefined;
  /** Of https URLs, in PEM; absent: the authorities of Node.js, and no certificate. */
  readonly tls?:
    | { readonly authorities?: string; readonly certificate?: string; readonly privateKey?: string }
    | undefined;
}

/**
 * A mixer's quotas, over HTTP. Every function throws the PurserError that the mixer answers with, and PURSER_MIXER_UNAVAILABLE when it does not
 * answer within 10 s.
 */
export class MixerQuotas {
  readonly #url: string;
  readonly #access: MixerAccess;

  /**
   * @param url Of the mixer's HTTP API, such as http://127.0.0.1:9092.
   */
  constructor(url: string, access: MixerAccess = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.#access = access;
  }

  /** All pages up to the limit, with each policy once. A `cursor` means that there are more counts. */
  async list({ policy, key, limit }: ListFilter): Promise<QuotaListing> {
    const policies = new Map<string, QuotaPolicyState>();
    let room = limit;
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = {
        policy,
        key: key === undefined ? undefined : JSON.stringify(key),
        limit: Math.min(room, MAX_PAGE),
        cursor,
      };
      const listing = decodeListing(await this.#call("GET", withQuery(QUOTAS_PATH, query)));
      for (const state of listing.policies)
        policies.set(state.policy, joined(policies.get(state.policy), state));
      room -= listing.policies.reduce((sum, { counts }) => sum + counts.length, 0);
      cursor = listing.cursor;
      if (cursor === undefined || room <= 0) break;
    }
    return { policies: [...policies.values()], ...(cursor === undefined ? {} : { cursor }) };
  }

  async top(policy: string | undefined, limit: number): Promise<TopListing> {
    return decodeTop(await this.#call("GET", withQuery(QUOTAS_TOP_PATH, { policy, limit })));
  }

  async audit(limit: number): Promise<AuditListing> {
    return decodeAudit(await this.#call("GET", withQuery(QUOTAS_AUDIT_PATH, { limit })));
  }

  async reset(command: CountCommand): Promise<AuditEntry> {
    return decodeAuditEntry(await this.#call("POST", QUOTAS_RESET_PATH, command));
  }

  async raise(command: RaiseCommand): Promise<AuditEntry> {
    return decodeAuditEntry(await this.#call("POST", QUOTAS_RAISE_PATH, command));
  }

  async block(command: BlockCommand): Promise<AuditEntry> {
    return decodeAuditEntry(await this.#call("POST", QUOTAS_BLOCK_PATH, command));
  }

  async end(kind: AdjustmentKind, { policy, key, reason }: CountCommand): Promise<AuditEntry> {
    const path = kind === "raise" ? QUOTAS_RAISE_PATH : QUOTAS_BLOCK_PATH;
    const query = { policy, key: JSON.stringify(key), reason };
    return decodeAuditEntry(await this.#call("DELETE", withQuery(path, query)));
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const { authorization, tls } = this.#access;
    let status: number;
    let text: string;
    try {
      const response = await fetch(this.#url + path, {
        method,
        ...(tls === undefined ? {} : { dispatcher: dispatcherOf(tls) }),
        signal: AbortSignal.timeout(CALL_MS),
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(authorization === undefined ? {} : { authorization: authorization() }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      status = response.status;
      text = await response.text();
    } catch (error) {
      const cause = (error as { readonly cause?: unknown }).cause ?? error;
      throw this.#unavailable(
        `does not answer: ${messageOf(cause) || String((cause as { code?: unknown }).code)}`,
      );
    }
    if (status !== 200)
      throw errorOfBody(text) ?? this.#unavailable(`answered ${status}, as a mixer does not`);
    try {
      return JSON.parse(text);
    } catch {
      throw this.#unavailable("answered with something other than JSON");
    }
  }

  #unavailable(what: string): PurserError {
    return new PurserError("PURSER_MIXER_UNAVAILABLE", `the mixer at ${this.#url} ${what}`);
  }
}

function dispatcherOf({ authorities, certificate, privateKey }: NonNullable<MixerAccess["tls"]>): Agent {
  return new Agent({
    connect: {
      ...(authorities === undefined ? {} : { ca: authorities }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(privateKey === undefined ? {} : { key: privateKey }),
    },
  });
}

function joined(first: QuotaPolicyState | undefined, next: QuotaPolicyState): QuotaPolicyState {
  if (first === undefined) return next;
  const counts = new Map([...first.counts, ...next.counts].map((count) => [count.cell, count]));
  return { ...next, counts: [...counts.values()].sort((a, b) => b.used - a.used) };
}
