// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { request } from "node:https";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";

import type { Files } from "../../../core/hooks/extension.ts";
import type { Listener } from "../../../core/traffic/resources/listener.ts";
import { DEFAULT_CIPHER_SUITES, type TlsServer } from "../../../core/traffic/resources/tls.ts";
import type { ProxyOptions } from "../../proxy.ts";
import { configOf, EDGE, routeOf, setOf, startProxy } from "../../testing/harness.test.ts";
import { HTTP_TRANSPORT } from "../http-transport.ts";

/** Files in memory, which a test writes. A path that was not written cannot be read. */
export class WrittenFiles implements Files {
  readonly #texts = new Map<string, string>();
  readonly #listeners = new Set<{
    readonly path: string;
    readonly onText: (text: string) => void;
    readonly onError: (error: Error) => void;
  }>();

  constructor(texts: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(texts)) this.#texts.set(path, text);
  }

  watch(path: string, onText: (text: string) => void, onError: (error: Error) => void): () => void {
    const listener = { path, onText, onError };
    this.#listeners.add(listener);
    queueMicrotask(() => this.#tell(listener));
    return () => this.#listeners.delete(listener);
  }

  write(path: string, text: string): void {
    this.#texts.set(path, text);
    for (const listener of this.#listeners) if (listener.path === path) this.#tell(listener);
  }

  get watched(): readonly string[] {
    return [...this.#listeners].map(({ path }) => path);
  }

  #tell(listener: { path: string; onText: (text: string) => void; onError: (error: Error) => void }): void {
    const text = this.#texts.get(listener.path);
    if (text === undefined) listener.onError(new Error(`ENOENT: ${listener.path}`));
    else listener.onText(text);
  }
}

/** A server whose route table answers with the server's name. */
export function tlsServerOf(name: string, more: Partial<TlsServer> = {}): TlsServer {
  return {
    name,
    serverNames: [name],
    routeTable: name,
    mode: "simple",
    credential: { certificateFile: `${name}.crt`, privateKeyFile: `${name}.key` },
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    cipherSuites: DEFAULT_CIPHER_SUITES,
    ...more,
  };
}

/** Resources with one listener: each server's table answers for the server's hosts with its name. */
export function tlsConfigOf(servers: readonly TlsServer[], listener: Partial<Listener> = {}) {
  const tables = servers.map(({ name, routeTable, serverNames }) => ({
    name: routeTable,
    virtualHosts: [
      {
        name,
        domains: serverNames,
        routes: [routeOf({ kind: "direct", status: 200, body: name, contentType: "text/plain" })],
      },
    ],
  }));
  return {
    ...configOf({ clusters: [], listeners: [{ ...EDGE, tlsServers: servers, ...listener }] }),
    routes: setOf(tables),
  };
}

export function startTlsEdge(
  servers: readonly TlsServer[],
  files: Files,
  options: Partial<ProxyOptions> = {},
) {
  return startProxy(tlsConfigOf(servers), { transport: HTTP_TRANSPORT, files, ...options });
}

export interface TlsReply {
  readonly status: number;
  readonly body: string;
  /** Common name of the server's certificate. */
  readonly server: string;
  readonly protocol: string | null;
  readonly cipher: string;
  readonly alpn: string | false | null;
  readonly resumed: boolean;
}

/** A request on a connection of its own, as it was answered, or the reason or code of its error. */
export function callTls(port: number, host: string, tls: ConnectionOptions = {}): Promise<TlsReply | string> {
  return new Promise((resolve) => {
    const options = { servername: host, rejectUnauthorized: false, ...tls };
    const outgoing = request(
      { host: "127.0.0.1", port, headers: { host }, agent: false, ...options },
      (reply) => {
        const socket = reply.socket as TLSSocket;
        const seen = {
          status: reply.statusCode ?? 0,
          server: /^CN=(.*)$/m.exec(socket.getPeerX509Certificate()?.subject ?? "")?.[1] ?? "",
          protocol: socket.getProtocol(),
          cipher: socket.getCipher().standardName,
          alpn: socket.alpnProtocol,
          resumed: socket.isSessionReused(),
        };
        let body = "";
        reply.on("data", (chunk) => (body += String(chunk)));
        reply.on("end", () => resolve({ ...seen, body }));
        reply.on("error", ({ code = "error" }: NodeJS.ErrnoException) => resolve(code));
      },
    );
    outgoing.setTimeout(5_000, () => outgoing.destroy(new Error("no reply")));
    outgoing.on("error", (error: NodeJS.ErrnoException & { readonly reason?: string }) =>
      resolve(error.reason ?? (error.code === "EPROTO" ? error.message : error.code) ?? error.message),
    );
    outgoing.end();
  });
}

/** A secure connection that a test keeps open. */
export async function dialTls(
  port: number,
  servername: string,
  tls: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, servername, rejectUnauthorized: false, ...tls });
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("secureConnect", resolve).once("close", resolve));
  return socket;
}

/** Runs a program to its end, for 10 s at most. Asynchronous: the proxy is in this process. */
export function run(program: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { timeout: 10_000 });
    let output = "";
    child.stdout.on("data", (chunk) => (output += String(chunk)));
    child.stderr.on("data", (chunk) => (output += String(chunk)));
    child.on("close", (code) => resolve(`${output}\nexit ${code}`));
    if (input === undefined) child.stdin.end();
    else {
      child.stdin.write(input);
      setTimeout(() => child.stdin.end(), 500);
    }
  });
}

/** The counts of handshakes by result. */
export async function handshakesOf({ proxy }: Awaited<ReturnType<typeof startProxy>>) {
  const family = await proxy.registry.getSingleMetric("purser_proxy_tls_handshakes_total")?.get();
  return Object.fromEntries(
    (family?.values ?? []).map(({ labels, value }) => [String(labels["result"]), value] as const),
  );
}
