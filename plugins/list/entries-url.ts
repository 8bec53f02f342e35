// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type Cancel,
  type Clock,
  type HttpClient,
  httpFailure,
  type HttpResponse,
  type Logger,
  messageOf,
  PurserError,
  type Random,
  type Scheduler,
} from "../sdk/index.ts";
import type { EntryType } from "./config.ts";
import type { Matcher } from "./entries.ts";
import { readEntries } from "./entry-lines.ts";

/** Pause after a first failure, in milliseconds; it doubles with each further failure, up to the refresh interval. */
const RETRY_MS = 1_000;

export interface UrlEntriesOptions {
  readonly type: EntryType;
  readonly url: string;
  readonly token: string | undefined;
  readonly refreshMs: number;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly maxEntries: number;
  /** undefined: a copy is never stale. */
  readonly staleAfterMs: number | undefined;
  readonly failWhenStale: boolean;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
}

/** The last good copy of a URL, with the validators that the server gave it. */
interface Copy {
  readonly matcher: Matcher;
  readonly validators: Readonly<Record<string, string>>;
  /** Monotonic time at which the server last gave or confirmed the copy. */
  readonly confirmedMs: number;
}

/**
 * Entries at a URL, loaded in the background, one request at a time, until closed. A load that fails, or gives no valid list, leaves the
 * last good copy in force.
 */
export class UrlEntries {
  readonly #options: UrlEntriesOptions;
  /** The URL for log lines and errors, without its query, which may hold secrets. */
  readonly #place: string;
  #copy: Copy | undefined;
  #failures = 0;
  #warnedOfAge = false;
  #next: Cancel;
  #loading: AbortController | undefined;
  #closed = false;

  constructor(options: UrlEntriesOptions) {
    this.#options = options;
    const { origin, pathname } = new URL(options.url);
    this.#place = origin + pathname;
    // Building a handler does no I/O.
    this.#next = options.scheduler.after(0, () => void this.#load());
  }

  /** @throws PurserError PURSER_HANDLER_FAILED, retryable, while there is no copy, or none that is fresh enough. */
  matcher(): Matcher {
    const copy = this.#copy;
    if (copy === undefined) throw unavailable(`the list at ${this.#place} has not been loaded so far`);
    const { staleAfterMs, failWhenStale, clock, logger } = this.#options;
    if (staleAfterMs === undefined || clock.monotonicMs() - copy.confirmedMs <= staleAfterMs)
      return copy.matcher;
    if (failWhenStale)
      throw unavailable(`the list at ${this.#place} was last confirmed more than ${staleAfterMs} ms ago`);
    if (!this.#warnedOfAge) logger.warn("list copy is stale", { url: this.#place, staleAfterMs });
    this.#warnedOfAge = true;
    return copy.matcher;
  }

  /** Ends the load under way. Safe to call twice. */
  close(): void {
    this.#closed = true;
    this.#next();
    this.#loading?.abort();
  }

  async #load(): Promise<void> {
    const { scheduler, timeoutMs, http, url } = this.#options;
    const loading = new AbortController();
    this.#loading = loading;
    const cancel = scheduler.after(timeoutMs, () => loading.abort());
    try {
      this.#take(await http.request({ url, headers: this.#headers() }, loading));
    } catch (error) {
      this.#fail(error);
    } finally {
      cancel();
      this.#loading = undefined;
      if (!this.#closed) this.#next = scheduler.after(this.#pauseMs(), () => void this.#load());
    }
  }

  #headers(): Readonly<Record<string, string>> {
    const { token } = this.#options;
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return { accept: "text/plain, */*;q=0.5", ...authorization, ...this.#copy?.validators };
  }

  /** @throws when the response gives neither a valid list nor confirms the copy. */
  #take(response: HttpResponse): void {
    if (this.#closed) return;
    const { clock, type, maxEntries, logger } = this.#options;
    const confirmedMs = clock.monotonicMs();
    if (response.status === 304) {
      if (this.#copy === undefined) throw new Error("the server answered 304 although there is no copy");
      this.#keep({ ...this.#copy, confirmedMs });
      logger.debug("list unchanged", { url: this.#place });
      return;
    }
    const failure = httpFailure(response, clock);
    if (failure !== undefined) throw failure;
    // 206, 204 and others do not give the whole list.
    if (response.status !== 200) throw new Error(`the server answered ${response.status}, not 200`);
    const entries = readEntries(type, this.#textOf(response), maxEntries);
    if (!entries.ok) {
      const more = entries.faultCount - entries.faults.length;
      throw new Error(`${entries.faults.join("; ")}${more > 0 ? `; and ${more} more` : ""}`);
    }
    this.#keep({ matcher: entries.matcher, validators: validatorsOf(response), confirmedMs });
    logger.info("list loaded", { url: this.#place, entries: entries.count });
  }

  #textOf({ body, headers }: HttpResponse): string {
    const { maxBytes } = this.#options;
    if (body.length > maxBytes) throw new Error(`the list has ${body.length} bytes, more than ${maxBytes}`);
    // A page of a portal or an error, which would pass for a list of texts.
    if (/^(text\/html|application\/xhtml)/i.test(headers["content-type"] ?? ""))
      throw new Error("the server answered with a web page");
    const encoding = headers["content-encoding"] ?? "identity";
    if (encoding !== "identity")
      throw new Error(`the list is encoded as ${encoding}, which was not asked for`);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(body);
    } catch {
      throw new Error("the list is not UTF-8");
    }
  }

  #keep(copy: Copy): void {
    if (this.#failures > 0) this.#options.logger.info("list is available again", { url: this.#place });
    this.#copy = copy;
    this.#failures = 0;
    this.#warnedOfAge = false;
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    // Log once when loads begin to fail, not for each of them.
    const level = this.#failures++ === 0 ? "warn" : "debug";
    this.#options.logger[level]("list cannot be loaded", {
      url: this.#place,
      consequence:
        this.#copy === undefined ? "nothing was loaded so far" : "the last good copy stays in force",
      error: messageOf(error),
    });
  }

  /** At random within 10 % of the interval, so that mixers which began together do not stay together. */
  #pauseMs(): number {
    const { refreshMs, random } = this.#options;
    const intervalMs =
      this.#failures === 0
        ? refreshMs
        : Math.min(refreshMs, RETRY_MS * 2 ** Math.min(this.#failures - 1, 20));
    return intervalMs * (0.9 + random() * 0.2);
  }
}

/** The headers that ask whether the copy has changed (RFC 9110, sections 13.1.2 and 13.1.3). */
function validatorsOf({ headers }: HttpResponse): Readonly<Record<string, string>> {
  const { etag, "last-modified": modified } = headers;
  return {
    ...(etag === undefined ? {} : { "if-none-match": etag }),
    ...(modified === undefined ? {} : { "if-modified-since": modified }),
  };
}

function unavailable(message: string): PurserError {
  return new PurserError("PURSER_HANDLER_FAILED", message, { retryable: true });
}
