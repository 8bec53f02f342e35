// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import {
  type AdapterDefinition,
  type AdapterHandler,
  createMemoryQuotaStore,
  defineAdapter,
  type ExtensionContext,
  PurserError,
  type TemplateName,
  Type,
} from "../../index.ts";
import { type AdapterContractOptions, checkAdapterContract, type ContractFinding } from "../index.ts";

/** The clauses with findings, by name. */
async function broken<C>(
  definition: AdapterDefinition<C>,
  options?: AdapterContractOptions,
): Promise<ContractFinding[]> {
  return (await checkAdapterContract(definition, options)).filter((finding) => finding.failures.length > 0);
}

function assertBreaksOnly(findings: readonly ContractFinding[], clause: string, failure: RegExp): void {
  assert.deepEqual(
    findings.map((finding) => finding.clause),
    [clause],
    JSON.stringify(findings),
  );
  assert.match(findings[0]?.failures.join("\n") ?? "", failure);
}

function assertBreaks(findings: readonly ContractFinding[], clause: string, failure: RegExp): void {
  const found = findings.find((finding) => finding.clause === clause);
  assert.match(found?.failures.join("\n") ?? "", failure, JSON.stringify(findings));
}

/** A correct adapter in memory, except for the `changes` to its handlers. */
function inMemory(
  changes: (context: ExtensionContext<unknown>) => Partial<AdapterHandler>,
  templates: readonly TemplateName[] = ["logentry"],
): AdapterDefinition {
  return defineAdapter({
    name: "in-memory",
    description: "Keeps what it is given.",
    templates,
    config: Type.Object({ size: Type.Integer({ default: 1 }) }),
    build: (context) => ({ logentry() {}, close() {}, ...changes(context) }),
  });
}

interface LineClientOptions {
  readonly heedsSignal?: boolean;
  readonly closesSockets?: boolean;
  readonly handlesErrors?: boolean;
  readonly rethrows?: (error: Error) => Error;
}

/**
 * An adapter for a server that answers each line with `ok`, `busy` or `no`; correct unless an option says
 * otherwise.
 */
function lineClient(options: LineClientOptions = {}): AdapterDefinition<{ port: number }> {
  return defineAdapter({
    name: "line-client",
    description: "Sends lines.",
    templates: ["logentry"],
    config: Type.Object({ port: Type.Integer() }),
    build({ config }) {
      const sockets = new Set<Socket>();
      return {
        logentry: (_entries, { signal }) =>
          new Promise<void>((resolve, reject) => {
            const socket = connect(config.port, "127.0.0.1");
            sockets.add(socket);
            const fail = (error: Error): void => {
              socket.destroy();
              reject((options.rethrows ?? ((same) => same))(error));
            };
            const unavailable = (why: string) =>
              new PurserError("PURSER_HANDLER_FAILED", why, { retryable: true });
            if (options.handlesErrors !== false)
              socket.on("error", (error) => fail(unavailable(error.message)));
            socket.on("close", () => {
              sockets.delete(socket);
              fail(unavailable("the connection ended"));
            });
            const onAbort = (): void => fail(unavailable("too slow"));
            if (options.heedsSignal !== false) {
              if (signal.aborted) return onAbort();
              signal.addEventListener("abort", onAbort);
            }
            socket.on("data", (data) => {
              const answer = data.toString();
              if (answer.startsWith("ok")) resolve();
              else if (answer.startsWith("busy")) fail(unavailable("busy"));
              else fail(new PurserError("PURSER_HANDLER_FAILED", `refused: ${answer}`, { retryable: false }));
            });
            socket.write("line\n");
          }),
        close() {
          if (options.closesSockets !== false) for (const socket of sockets) socket.destroy();
        },
      };
    },
  });
}

const answering = (text: string) => (socket: Socket) => void socket.once("data", () => socket.end(text));

const backend = {
  config: ({ port }: { readonly port: number }) => ({ port }),
  permanent: answering("no"),
  retryable: answering("busy"),
};

const LINE_SERVER: AdapterContractOptions = { backend, deadlineMs: 200 };

describe("the adapter contract", () => {
  it("refuses a timer of an adapter that says it is confined", async () => {
    const flushing = inMemory(({ scheduler }) => {
      let timer: NodeJS.Timeout | undefined;
      return {
        async logentry() {
          scheduler.after(1, () => {})();
          await Promise.resolve();
          timer = setTimeout(() => {}, 1);
        },
        close: () => clearTimeout(timer),
      };
    });
    assert.deepEqual(await broken(flushing), []);
    assertBreaksOnly(
      await broken({ ...flushing, confined: true }),
      "begins nothing by itself if it says that it is confined",
      /made a Timeout of its own/,
    );
  });

  it("is kept by a good adapter in memory", async () => {
    assert.deepEqual(await broken(inMemory(() => ({}))), []);
  });

  it("is kept by a good adapter with a backend", async () => {
    assert.deepEqual(await broken(lineClient(), LINE_SERVER), []);
  });

  it("finds a template without a function", async () => {
    const findings = await broken(inMemory(() => ({}), ["logentry", "metric"]));
    const clause = "builds from its defaults, with a function for each template";
    assertBreaksOnly(findings, clause, /no function for template "metric"/);
  });

  it("finds a handler that cannot be built from its defaults", async () => {
    const findings = await broken(inMemory(() => assert.fail("cannot")));
    assert.match(findings[0]?.failures[0] ?? "", /AssertionError: cannot/);
    assert.ok(findings.length > 1);
  });

  it("finds a configuration that is changed by the handler", async () => {
    const findings = await broken(
      inMemory(({ config }) => {
        Object.assign(config as object, { size: 2 });
        return {};
      }),
    );
    assert.match(findings[0]?.failures[0] ?? "", /TypeError: Cannot assign to read only property/);
  });

  it("finds a configuration that takes unknown keys", async () => {
    const open = { ...inMemory(() => ({})), config: Type.Object({}, { additionalProperties: true }) };
    assertBreaksOnly(await broken(open), "refuses unknown keys", /takes an unknown key/);
  });

  it("finds reports that show in another handler's exposition", async () => {
    let seen = 0;
    const shared = inMemory(() => ({ logentry: () => void seen++, exposition: () => `seen ${seen}` }));
    const clause = "shares nothing between two handlers of one configuration";
    assertBreaksOnly(await broken(shared), clause, /show in the other's exposition/);
  });

  it("finds a quota that another handler uses up", async () => {
    let used = 0;
    const shared = inMemory(
      () => ({
        quota: (requests) =>
          requests.map(({ limit, amount }) => {
            const granted = Math.max(0, Math.min(amount, limit - used));
            used += granted;
            return { granted, remaining: 0, resetMs: 0, retryAfterMs: 0, validForMs: 0, slot: 0 };
          }),
      }),
      ["quota"],
    );
    assert.match(JSON.stringify(await broken(shared)), /one handler's quota is used up by the other/);
  });

  it("finds a view of quotas that lists and resets wrongly", async () => {
    const wrong = inMemory(
      ({ clock }) => {
        const store = createMemoryQuotaStore({ clock });
        return {
          quota: (requests, options) => store.allocate(requests, options),
          quotaView: {
            list: () => ({ counts: [{ cell: "contract{}" }, { cell: "contract{}" }] }),
            reset: () => "reset",
            shared: { all: () => [], put() {}, remove: () => true },
          },
        };
      },
      ["quota"],
    );
    assertBreaksOnly(
      await broken(wrong),
      "lists and resets quotas, if it has a view of them",
      /lists a count twice.*in place of.*another window.*reset returned reset,reset.*6,6 remain.*adjustments are.*true,true/s,
    );
  });

  it("finds a close that breaks another handler", async () => {
    let open = 0;
    const shared = inMemory(() => {
      open++;
      return {
        logentry() {
          if (open <= 0) throw new PurserError("PURSER_HANDLER_FAILED", "closed");
        },
        close: () => void (open = 0),
      };
    });
    assert.match(
      JSON.stringify(await broken(shared)),
      /logentry no longer works once another handler was closed/,
    );
  });

  it("finds a second close that fails", async () => {
    const once = inMemory(() => {
      let closed = false;
      return {
        close() {
          if (closed) throw new Error("closed already");
          closed = true;
        },
      };
    });
    assertBreaksOnly(
      await broken(once),
      "may be closed twice, and unused",
      /the second close.*closed already/,
    );
  });

  it("finds a missing close", async () => {
    const endless = inMemory(() => ({ close: undefined as never }));
    assertBreaks(
      await broken(endless),
      "may be closed twice, and unused",
      /failed: TypeError: .*close is not/,
    );
    const client = lineClient();
    const unclosed = {
      ...client,
      build: (context: never) => ({ ...client.build(context), close: undefined }),
    };
    const findings = await broken(unclosed as never, LINE_SERVER);
    assertBreaks(findings, "may be closed twice, and unused", /failed: TypeError: .*close is not/);
  });

  for (const [what, handler] of [
    ["nothing", undefined],
    ["null", null],
    ["a text", "handler"],
  ] as const) {
    it(`finds a build that returns ${what}`, async () => {
      const definition = { ...inMemory(() => ({})), build: () => handler as never };
      assert.ok((await broken(definition)).length > 1);
    });
  }

  it("finds a close that never ends", async () => {
    const findings = await broken(
      inMemory(() => ({ close: () => new Promise<void>(() => {}) })),
      { deadlineMs: 50 },
    );
    assert.match(
      JSON.stringify(findings),
      /the first close of a handler that was not used did not end in time/,
    );
  });

  it("finds scheduled tasks, watches and timers that close leaves behind", async () => {
    const timers: NodeJS.Timeout[] = [];
    const leaky = inMemory(({ scheduler, files }) => {
      scheduler.every(60_000, () => {});
      files.watch(
        "list",
        () => {},
        () => {},
      );
      timers.push(setTimeout(() => {}, 60_000));
      return {};
    });
    const findings = await broken(leaky);
    for (const timer of timers) clearTimeout(timer);
    const clause = "leaves nothing scheduled, open or watched after close";
    assertBreaksOnly(findings, clause, /1 tasks scheduled[^]*1 files watched[^]*1 Timeout behind/);
  });

  it("finds connections that are left open, and calls that do not end with close", async () => {
    const findings = await broken(lineClient({ closesSockets: false, heedsSignal: false }), LINE_SERVER);
    const said = JSON.stringify(findings);
    assert.match(said, /left 1 connections open after close/);
    assert.match(said, /logentry was in flight and did not end with close/);
    assert.match(said, /waited although its signal was aborted/);
    assert.match(said, /survives a backend that hangs.*neither answered nor failed within 200 ms/);
  });

  it("finds errors that escape every promise, with unusual instances and with a backend that breaks", async () => {
    const careless = inMemory(() => ({
      logentry(entries) {
        void Promise.resolve().then(() => JSON.stringify(entries));
      },
    }));
    const clause = "takes unusual instances without throwing out of band";
    assertBreaksOnly(await broken(careless), clause, /threw out of band: TypeError/);
    const findings = await broken(lineClient({ handlesErrors: false }), LINE_SERVER);
    assert.match(
      JSON.stringify(findings),
      /survives a backend that resets.*threw out of band: Error: .*ECONNRESET/,
    );
  });

  it("finds errors without a code", async () => {
    const uncoded = inMemory(() => ({ logentry: (entries) => void JSON.stringify(entries) }));
    const clause = "takes unusual instances without throwing out of band";
    assertBreaksOnly(
      await broken(uncoded),
      clause,
      /JSON cannot represent\) failed with something other than a Purser/,
    );
  });

  it("finds errors with a wrong retryable flag", async () => {
    for (const retryable of [true, false]) {
      const rethrows = (error: Error) =>
        new PurserError("PURSER_HANDLER_FAILED", error.message, { retryable });
      const findings = await broken(lineClient({ rethrows }), LINE_SERVER);
      const what = retryable ? "a final refusal" : "a busy backend";
      const clause = "tells retryable and permanent errors apart";
      assertBreaksOnly(findings, clause, new RegExp(`said retryable: ${retryable} with ${what}`));
    }
  });

  it("finds a refusal that the adapter takes for success", async () => {
    const deaf = defineAdapter({
      name: "deaf",
      description: "Sends and does not listen.",
      templates: ["logentry"],
      config: Type.Object({ port: Type.Integer() }),
      build: () => ({ logentry() {}, close() {} }),
    });
    const clause = "tells retryable and permanent errors apart";
    assertBreaksOnly(await broken(deaf, LINE_SERVER), clause, /succeeded with a final refusal/);
  });

  it("restores the process's error handlers", async () => {
    const before = [process.listeners("uncaughtException"), process.listeners("unhandledRejection")];
    await broken(inMemory(() => ({})));
    assert.deepEqual(
      [process.listeners("uncaughtException"), process.listeners("unhandledRejection")],
      before,
    );
  });
});
