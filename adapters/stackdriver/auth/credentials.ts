// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import {
  type CallContext,
  type ExtensionContext,
  type Files,
  messageOf,
  PurserError,
} from "../../../plugins/sdk/index.ts";
import type { StackdriverConfig } from "../config.ts";
import { libraryToken, wrongCredentials } from "./library-token.ts";
import { metadataToken } from "./metadata-server.ts";
import { CachedTokens, NO_TOKENS, type TokenSource } from "./token-source.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The tokens that a configuration asks for. Does no I/O but to watch `keyFile`. */
export function createTokens(context: ExtensionContext<StackdriverConfig>, env: Environment): TokenSource {
  const { config, http, clock, files } = context;
  const { project, endpoints } = config;
  const library = { http, clock, project, tokenEndpoint: endpoints.token };
  const host = env["GCE_METADATA_HOST"] ?? "metadata.google.internal";
  const metadata = (call: CallContext) =>
    metadataToken(endpoints.metadata ?? `http://${host}`, { http, clock }, call);
  switch (config.credentials) {
    case "none":
      return NO_TOKENS;
    case "metadata":
      return new CachedTokens(metadata, context);
    case "key": {
      const key = config.key ?? "";
      if (config.keyFile === undefined)
        return new CachedTokens((call) => libraryToken(key, library, call), context);
      const file = new WatchedKey(files, config.keyFile);
      return new CachedTokens(
        (call) => libraryToken(file.text(), library, call),
        context,
        () => file.close(),
      );
    }
    case "default":
      return new CachedTokens(async (call) => {
        const found = await defaultCredentials(env);
        return found === undefined ? metadata(call) : libraryToken(found, library, call);
      }, context);
  }
}

/** The newest text of a key's file: a key that is rotated in place is used for the next token. */
class WatchedKey {
  readonly close: () => void;
  #content: string | Error | undefined;

  constructor(files: Files, path: string) {
    this.close = files.watch(
      path,
      (text) => void (this.#content = text),
      (error) => void (this.#content = error),
    );
  }

  text(): string {
    if (typeof this.#content === "string") return this.#content;
    if (this.#content !== undefined) throw wrongCredentials(messageOf(this.#content));
    throw new PurserError("PURSER_HANDLER_FAILED", "the key's file has not been read yet", {
      retryable: true,
    });
  }
}

/**
 * The file of Application Default Credentials: the one that GOOGLE_APPLICATION_CREDENTIALS names, then the one that
 * `gcloud auth application-default login` writes; undefined without either, for the metadata server
 * (cloud.google.com/docs/authentication/application-default-credentials).
 */
async function defaultCredentials(env: Environment): Promise<string | undefined> {
  const named = env["GOOGLE_APPLICATION_CREDENTIALS"];
  try {
    return await readFile(named === undefined || named === "" ? gcloudFile(env) : named, "utf8");
  } catch (error) {
    if (named === undefined || named === "") return undefined;
    throw wrongCredentials(
      `GOOGLE_APPLICATION_CREDENTIALS names a file that cannot be read: ${messageOf(error)}`,
    );
  }
}

function gcloudFile(env: Environment): string {
  const appData = process.platform === "win32" ? env["APPDATA"] : undefined;
  const folder = env["CLOUDSDK_CONFIG"] ?? join(appData ?? join(homedir(), ".config"), "gcloud");
  return join(folder, "application_default_credentials.json");
}
