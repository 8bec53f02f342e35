// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { stringify } from "yaml";
import { builtInManifest } from "../../config/built-in-manifest.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { decide } from "../../core/check/decide.ts";
import { type CheckPlan, planChecks } from "../../core/check/plan.ts";
import { parseDocuments } from "../../core/documents/parse-documents.ts";
import { createJsonataCompiler } from "../../core/expressions/jsonata-engine.ts";
import { createInventory } from "../../core/hooks/inventory.ts";
import { chargeAll } from "../../core/quota/charge-all.ts";
import { demandOf } from "../../core/quota/demand.ts";
import { createMemoryQuotaStore } from "../../core/quota/memory-store.ts";
import { refusalOf } from "../../core/quota/refusal.ts";
import { buildSnapshot } from "../../core/snapshot/build-snapshot.ts";
import { formatDiagnostic } from "../../kernel/diagnostic.ts";
import { atOnce } from "../../kernel/maybe-promise.ts";
import { rateLimitProgram, startRateLimit } from "../../test/support/ratelimit-server.ts";
import type { Receiver } from "../../test/support/receivers.ts";
import { type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import { documentText } from "./document-text.ts";
import { importRateLimit } from "./import-ratelimit.ts";

// Random configurations and requests: the documents of an import must decide as envoyproxy/ratelimit itself does,
// in the same second. Envoy's part, the descriptors of a request, is the model `descriptorsOf` below.

/** Number of configurations for each of the two ways of counting; RATELIMIT_RUNS=5000 for a long run. */
const RUNS = Number(process.env["RATELIMIT_RUNS"] ?? 120);

const KEYS = ["a", "b", "a_x"];
const VALUES = ["x", "y", "xy", "xyz", "007", "x*"];
const PATTERNS = [...VALUES, "*", "xy*"];

interface Node {
  key: string;
  value?: string;
  rate_limit?: Record<string, unknown>;
  descriptors?: Node[];
  shadow_mode?: boolean;
  share_threshold?: boolean;
}

const limit = (name: string | undefined, replaces: string | undefined, unlimited: boolean) =>
  fc
    .record({
      unit: fc.constantFrom("second", "MINUTE", "hour", "day", "week", "month", "year"),
      requests: fc.nat(3),
    })
    .map(({ unit, requests }) => ({
      ...(unlimited ? { unlimited } : { unit, requests_per_unit: requests }),
      ...(name === undefined ? {} : { name }),
      ...(replaces === undefined || replaces === name ? {} : { replaces: [{ name: replaces }] }),
    }));

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const name = maybe(fc.constantFrom("n1", "n2"));

const rule = fc
  .record({ name, replaces: name, unlimited: fc.integer({ min: 0, max: 9 }).map((n) => n === 0) })
  .chain(({ name: own, replaces, unlimited }) => limit(own, replaces, unlimited));

function nodes(depth: number, shadows: boolean): fc.Arbitrary<Node[]> {
  const node = fc
    .record({
      key: fc.constantFrom(...KEYS),
      value: maybe(fc.constantFrom(...PATTERNS)),
      rule: fc.option(rule, { nil: undefined, freq: 5 }),
      shadow: fc.integer({ min: 0, max: 4 }).map((n) => shadows && n === 0),
      shares: fc.boolean(),
      below:
        depth === 0
          ? fc.constant([] as Node[])
          : fc.oneof(fc.constant([] as Node[]), nodes(depth - 1, shadows)),
    })
    .map(
      ({ key, value, rule: own, shadow, shares, below }): Node => ({
        key,
        ...(value === undefined ? {} : { value }),
        ...(own === undefined ? {} : { rate_limit: own }),
        ...(shadow ? { shadow_mode: true } : {}),
        ...(shares && (value ?? "").endsWith("*") ? { share_threshold: true } : {}),
        ...(below.length === 0 ? {} : { descriptors: below }),
      }),
    );
  return fc.uniqueArray(node, {
    minLength: 1,
    maxLength: 4,
    selector: ({ key, value }) => (value === undefined ? key : `${key}_${value}`),
  });
}

interface Matcher {
  readonly name: string;
  readonly exact_match?: string;
  readonly prefix_match?: string;
  readonly present_match?: boolean;
  readonly invert_match?: boolean;
}

type Action =
  | { readonly request_headers: { header_name: string; descriptor_key: string; skip_if_absent?: boolean } }
  | { readonly query_parameters: { query_parameter_name: string; descriptor_key: string } }
  | { readonly generic_key: { descriptor_key: string; descriptor_value: string } }
  | {
      readonly header_value_match: {
        descriptor_key: string;
        descriptor_value: string;
        expect_match: boolean;
        headers: readonly Matcher[];
      };
    };

const HEADERS = ["x-h1", "x-h2"];

const matcher: fc.Arbitrary<Matcher> = fc
  .record({
    header: fc.constantFrom(...HEADERS),
    test: fc.constantFrom(
      { exact_match: "x" },
      { prefix_match: "xy" },
      { present_match: true },
      { present_match: false },
    ),
    invert: fc.boolean(),
  })
  .map(({ header, test, invert }) => ({ name: header, ...test, ...(invert ? { invert_match: true } : {}) }));

const descriptorKey = fc.constantFrom(...KEYS);

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        header_name: fc.constantFrom(...HEADERS),
        descriptor_key: descriptorKey,
        skip_if_absent: fc.boolean(),
      })
      .map((request_headers) => ({ request_headers })),
  },
  {
    weight: 1,
    arbitrary: descriptorKey.map((descriptor_key) => ({
      query_parameters: { query_parameter_name: "q", descriptor_key },
    })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ descriptor_key: descriptorKey, descriptor_value: fc.constantFrom(...VALUES) })
      .map((generic_key) => ({ generic_key })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        descriptor_key: descriptorKey,
        descriptor_value: fc.constantFrom(...VALUES),
        expect_match: fc.boolean(),
        headers: fc.array(matcher, { minLength: 1, maxLength: 2 }),
      })
      .map((header_value_match) => ({ header_value_match })),
  },
);

interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

const request: fc.Arbitrary<Request> = fc
  .record({
    h1: maybe(fc.constantFrom(...VALUES)),
    h2: maybe(fc.constantFrom(...VALUES)),
    q: maybe(fc.constantFrom("x", "z")),
  })
  .map(({ h1, h2, q }) => ({
    headers: { ...(h1 === undefined ? {} : { "x-h1": h1 }), ...(h2 === undefined ? {} : { "x-h2": h2 }) },
    query: q === undefined ? {} : { q },
  }));

interface Case {
  readonly descriptors: Node[];
  readonly rateLimits: readonly { readonly actions: readonly Action[] }[];
  readonly requests: readonly Request[];
}

/** @param lists Most lists of actions, so most limits that apply to one request. */
const cases = (lists: number, shadows: boolean): fc.Arbitrary<Case> =>
  fc.record({
    descriptors: nodes(1, shadows),
    rateLimits: fc.array(fc.record({ actions: fc.array(action, { minLength: 1, maxLength: 2 }) }), {
      minLength: 1,
      maxLength: lists,
    }),
    requests: fc
      .array(request, { minLength: 1, maxLength: 4 })
      .chain((some) => fc.array(fc.constantFrom(...some), { minLength: 8, maxLength: 14 })),
  });

type Descriptor = readonly { readonly key: string; readonly value: string }[];

/** Envoy's descriptors of a request (source/common/router/router_ratelimit.cc). */
function descriptorsOf({ rateLimits }: Case, { headers, query }: Request): readonly Descriptor[] {
  return rateLimits.flatMap(({ actions }) => {
    const entries: { key: string; value: string }[] = [];
    for (const one of actions) {
      if ("generic_key" in one)
        entries.push({ key: one.generic_key.descriptor_key, value: one.generic_key.descriptor_value });
      else if ("header_value_match" in one) {
        const { descriptor_key, descriptor_value, expect_match, headers: matchers } = one.header_value_match;
        if (matchers.every((each) => matches(each, headers)) !== expect_match) return [];
        entries.push({ key: descriptor_key, value: descriptor_value });
      } else {
        const [key, value, skips] =
          "request_headers" in one
            ? [
                one.request_headers.descriptor_key,
                headers[one.request_headers.header_name],
                one.request_headers.skip_if_absent,
              ]
            : [one.query_parameters.descriptor_key, query["q"], false];
        if (value !== undefined) entries.push({ key, value });
        else if (skips !== true) return [];
      }
    }
    return entries.length === 0 ? [] : [entries];
  });
}

function matches(each: Matcher, headers: Readonly<Record<string, string>>): boolean {
  const value = headers[each.name];
  const inverts = each.invert_match === true;
  if (each.present_match !== undefined) return ((value !== undefined) === each.present_match) !== inverts;
  if (value === undefined) return false;
  const held =
    each.exact_match === undefined
      ? value.startsWith(each.prefix_match as string)
      : value === each.exact_match;
  return held !== inverts;
}

interface Prepared {
  readonly number: number;
  readonly config: string;
  readonly actions: string;
  readonly documents: string;
  readonly plan: CheckPlan;
  readonly its: Case;
}

const compile = createJsonataCompiler({}, () => 0);

/** The case with its documents; undefined when the import refuses it because of equal descriptors. */
function prepare(its: Case, number: number): Prepared | undefined {
  const config = stringify({ domain: `d${number}`, descriptors: its.descriptors });
  const actions = stringify({ rate_limits: its.rateLimits });
  const imported = importRateLimit({
    config: { path: "config.yaml", text: config },
    actions: { path: "envoy.yaml", text: actions },
    expressions: new Map(),
  });
  if (!imported.ok) {
    for (const { message } of imported.diagnostics.filter(({ severity }) => severity === "error"))
      assert.match(message, /can give one request the same descriptor/, `${config}${actions}`);
    return undefined;
  }
  const documents = imported.value.map(documentText).join("---\n");
  const snapshot = buildSnapshot({
    files: [parseDocuments({ path: "imported.yaml", text: documents })],
    version: "1",
    builtIn: [builtInManifest()],
    compile,
    inventory: createInventory([]),
  });
  assert.ok(
    snapshot.ok,
    snapshot.ok ? "" : `${snapshot.diagnostics.map((d) => formatDiagnostic(d)).join("\n")}\n${documents}`,
  );
  return { number, config, actions, documents, plan: planChecks(snapshot.value), its };
}

/** The refusal, and for a single limit the amount that remains. */
interface Said {
  readonly refused: boolean;
  readonly remaining?: number;
}

class Purser {
  #nowMs = 0;
  readonly #store = createMemoryQuotaStore({
    clock: { nowMs: () => this.#nowMs, monotonicMs: () => this.#nowMs },
    sharesCounts: false,
  });

  ask(plan: CheckPlan, { headers, query }: Request, nowMs: number): Said {
    this.#nowMs = nowMs;
    const bag = { request: { headers, query_params: query } } as unknown as AttributeBag;
    const dispatch = { attributeSources: [], ask: () => undefined };
    const { charges } = atOnce(decide(plan, bag, { nowMs, dispatch }));
    const store = { name: "memory", allocate: this.#store.allocate.bind(this.#store) };
    const demands = charges.map((charge) =>
      demandOf({ ...charge, onStoreFailure: "deny" }, store, { nowMs }),
    );
    const outcomes = atOnce(chargeAll(demands, { deduplicationId: "", localStore: this.#store, nodes: 1 }));
    const refused = refusalOf(charges, outcomes) !== undefined;
    const [only] = outcomes;
    return outcomes.length === 1 && only !== undefined ? { refused, remaining: only.remaining } : { refused };
  }
}

const secondNow = () => Math.floor(Date.now() / 1_000);

/** Number of refusals; undefined when the second ended while the service answered, so that it is not known. */
async function compare({ its, plan, number, config, actions, documents }: Prepared, url: string) {
  const purser = new Purser();
  let refusals = 0;
  for (const [index, one] of its.requests.entries()) {
    const nowMs = Date.now();
    const second = secondNow();
    const descriptors = descriptorsOf(its, one);
    const theirs =
      descriptors.length === 0 ? { refused: false } : await askService(url, `d${number}`, descriptors);
    if (secondNow() !== second) return refusals;
    const ours = purser.ask(plan, one, nowMs);
    const facts = () =>
      `request ${index}: ${JSON.stringify(one)}\n${JSON.stringify(descriptors)}\n${JSON.stringify(its.requests)}\n${config}\n${actions}\n${documents}`;
    assert.equal(ours.refused, theirs.refused, facts());
    if (descriptors.length === 1) assert.equal(ours.remaining, theirs.remaining, facts());
    if (ours.refused) refusals++;
  }
  return refusals;
}

interface Answer {
  readonly overallCode: string;
  readonly statuses: readonly { readonly currentLimit?: unknown; readonly limitRemaining?: number }[];
}

async function askService(url: string, domain: string, descriptors: readonly Descriptor[]): Promise<Said> {
  const response = await fetch(`${url}/json`, {
    method: "POST",
    body: JSON.stringify({ domain, descriptors: descriptors.map((entries) => ({ entries })) }),
    signal: AbortSignal.timeout(5_000),
  });
  assert.ok(response.status === 200 || response.status === 429, `status ${response.status}`);
  const { overallCode, statuses } = (await response.json()) as Answer;
  const refused = overallCode === "OVER_LIMIT";
  const limited = statuses.filter(({ currentLimit }) => currentLimit !== undefined && currentLimit !== null);
  return limited.length === 1 ? { refused, remaining: limited[0]?.limitRemaining ?? 0 } : { refused };
}

describe("an imported configuration of envoyproxy/ratelimit", function () {
  this.timeout(60_000 + RUNS * 200);
  let redis: RedisServer | undefined;
  let program = "";
  before(async function () {
    program = await rateLimitProgram(this);
    redis = await startRedis(this);
  });
  after(() => redis?.stop());

  async function run(arbitrary: fc.Arbitrary<Case>, countsAllOrNone: boolean): Promise<void> {
    const seed = Number(process.env["RATELIMIT_SEED"] ?? Date.now() % 1_000_000);
    const drawn = fc.sample(arbitrary, { numRuns: RUNS, seed });
    const prepared = drawn.map(prepare).filter((one) => one !== undefined);
    assert.ok(
      prepared.length > RUNS / 4,
      `only ${prepared.length} of ${RUNS} could be imported, seed ${seed}`,
    );
    let service: Receiver | undefined;
    try {
      const configs = prepared.map(({ config }) => config);
      service = await startRateLimit(program, { configs, redis: redis as RedisServer, countsAllOrNone });
      let refusals = 0;
      for (const one of prepared) refusals += await compare(one, service.url);
      assert.ok(refusals > prepared.length / 4, `only ${refusals} refusals, seed ${seed}`);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    } finally {
      await service?.stop();
    }
  }

  it("refuses the same requests, with the same remaining amounts, where one limit applies", () =>
    run(cases(1, true), false));

  it("refuses the same requests where several limits apply, of which a refused request uses none", () =>
    run(cases(3, false), true));
});
