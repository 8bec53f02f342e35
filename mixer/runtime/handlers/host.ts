// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AdapterHandler, ExtensionContext, Files } from "../../../core/hooks/extension.ts";
import type { HttpClient } from "../../../core/hooks/http-client.ts";
import type { HandlerDeclaration } from "../../../core/snapshot/snapshot.ts";
import type { SpoolFiles } from "../../../delivery/spool/spool-files.ts";
import type { Runtime } from "../../../kernel/ports.ts";
import type { MixerMetrics } from "../metrics/mixer-metrics.ts";

/** A handler's HTTP client, which the host closes after the handler. */
export interface HandlerHttpClient extends HttpClient {
  /** Rejects the calls under way. */
  close(): Promise<void>;
}

/** The ports for handlers and for the mixer's own parts. */
export interface HandlerHost extends Runtime {
  /** Files as a document names them: relative to the folder of `documentFile`, the document's own file. */
  readonly files: (documentFile: string) => Files;
  /** Makes the HTTP client of one handler. */
  readonly http: () => HandlerHttpClient;
  /** The folder of a spool: `path` is relative to the folder of the document's own file. */
  readonly spoolFiles: (documentFile: string, path: readonly string[]) => SpoolFiles;
  /**
   * Builds an adapter in a thread of its own.
   *
   * @param onFault Called when the thread ended unasked or is stuck.
   */
  readonly buildInThread: (
    declaration: HandlerDeclaration,
    context: ExtensionContext<unknown>,
    onFault: (error: Error) => void,
  ) => AdapterHandler;
  readonly metrics: MixerMetrics;
}
