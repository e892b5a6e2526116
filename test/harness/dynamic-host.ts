import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import type * as Grpc from "@grpc/grpc-js";
import type * as EngineService from "@pulumi/pulumi/proto/engine_grpc_pb";
import type * as EngineMessages from "@pulumi/pulumi/proto/engine_pb";
import type * as ProviderService from "@pulumi/pulumi/proto/provider_grpc_pb";
import type * as ProviderMessages from "@pulumi/pulumi/proto/provider_pb";
import type * as StatusMessages from "@pulumi/pulumi/proto/status_pb";
import type * as Structs from "google-protobuf/google/protobuf/struct_pb";

type Bag = Record<string, unknown>;

export interface EngineLine {
  readonly severity: number;
  readonly text: string;
  readonly urn: string;
  readonly ephemeral: boolean;
}

/** What the engine is told when a call fails. */
export class CallFailure extends Error {
  constructor(
    message: string,
    readonly initFailed: InitFailed | undefined,
  ) {
    super(message);
  }
}

/** A partial failure: the engine keeps the resource. */
interface InitFailed {
  readonly id: string;
  readonly properties: Bag;
  readonly reasons: readonly string[];
}

/** Pulumi's own provider process, spoken to as its engine does, by an engine that only listens. */
export interface DynamicHost {
  check(news: Bag, olds?: Bag): Promise<{ inputs: Bag; failures: { property: string; reason: string }[] }>;
  diff(
    id: string,
    olds: Bag,
    news: Bag,
  ): Promise<{ changes: "some" | "none" | "unknown"; replaces: string[]; deleteBeforeReplace: boolean }>;
  create(inputs: Bag): Promise<{ id: string; properties: Bag }>;
  update(id: string, olds: Bag, news: Bag): Promise<{ properties: Bag }>;
  read(id: string, properties: Bag): Promise<{ id: string; properties: Bag }>;
  delete(id: string, properties: Bag): Promise<void>;
  /** What the provider told the engine, in order. */
  readonly lines: EngineLine[];
  /** Resolves with the first line that fits, also one that came before. */
  awaitLine(fits: (line: EngineLine) => boolean): Promise<EngineLine>;
  /** What the process printed; the engine shows it on the stack. */
  readonly printed: () => string;
  /** The engine ends as if killed. */
  killEngine(): void;
  readonly process: ChildProcess;
  /** How the process ended. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The first line a provider process prints is its port. */
const startSeconds = 30; // 0.4 s on an idle machine; the tests share it with others

interface HostOptions {
  /** The engine answers log calls with an error. */
  readonly refusesLines?: boolean;
  /** Further environment of the provider process. */
  readonly env?: NodeJS.ProcessEnv;
}

export async function startDynamicHost(
  program: string,
  { refusesLines = false, env }: HostOptions = {},
): Promise<DynamicHost> {
  const sdk = loadSdk(program);
  const lines: EngineLine[] = [];
  const waiting = new Set<() => void>();
  const engine = await startEngine(sdk, refusesLines, (line) => {
    lines.push(line);
    for (const look of [...waiting]) look();
  });
  const child = spawn(process.execPath, [sdk.script, `127.0.0.1:${String(engine.port)}`], {
    cwd: program,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PULUMI_NODEJS_PROJECT: "shop", PULUMI_PROJECT: "shop", ...env },
  });
  let printed = "";
  const port = new Promise<number>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no port within ${String(startSeconds)} s: ${printed}`)),
      startSeconds * 1000,
    );
    const take = (chunk: Buffer) => {
      printed += chunk.toString();
      const first = /^(\d+)\n/.exec(printed)?.[1];
      if (first === undefined) return;
      clearTimeout(timer);
      resolve(Number(first));
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("exit", () => {
      clearTimeout(timer);
      reject(new Error(`the provider process ended: ${printed}`));
    });
  });
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
  }));
  const client = new sdk.providers.ResourceProviderClient(
    `127.0.0.1:${String(await port)}`,
    sdk.grpc.credentials.createInsecure(),
  );
  const calls = callsOf(sdk, client);
  await calls.configure();

  const close = async () => {
    client.close();
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await ended;
    engine.server.forceShutdown();
  };
  return {
    ...calls,
    lines,
    awaitLine: (fits) =>
      new Promise((resolve) => {
        const look = () => {
          const line = lines.find(fits);
          if (line === undefined) return;
          waiting.delete(look);
          resolve(line);
        };
        waiting.add(look);
        look();
      }),
    printed: () => printed.replace(/^\d+\n/, ""),
    killEngine: () => engine.server.forceShutdown(),
    process: child,
    ended,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** As Pulumi's engine and the provider process load it: from the program's own folder. */
function loadSdk(program: string) {
  const fromProgram = createRequire(`${program}/index.js`);
  const fromSdk = createRequire(fromProgram.resolve("@pulumi/pulumi/package.json"));
  return {
    script: fromSdk.resolve("@pulumi/pulumi/cmd/dynamic-provider"),
    grpc: fromSdk("@grpc/grpc-js") as typeof Grpc,
    engines: fromSdk("@pulumi/pulumi/proto/engine_grpc_pb") as typeof EngineService,
    providers: fromSdk("@pulumi/pulumi/proto/provider_grpc_pb") as typeof ProviderService,
    messages: fromSdk("@pulumi/pulumi/proto/provider_pb") as typeof ProviderMessages,
    status: fromSdk("@pulumi/pulumi/proto/status_pb") as typeof StatusMessages,
    structs: fromSdk("google-protobuf/google/protobuf/struct_pb") as typeof Structs,
    empty: fromSdk("google-protobuf/google/protobuf/empty_pb") as { Empty: new () => unknown },
  };
}

type Sdk = ReturnType<typeof loadSdk>;

async function startEngine(sdk: Sdk, refusesLines: boolean, onLine: (line: EngineLine) => void) {
  const server = new sdk.grpc.Server();
  const log = (
    call: { request: EngineMessages.LogRequest },
    answer: (error: Error | null, value?: unknown) => void,
  ) => {
    const { request } = call;
    if (refusesLines) return answer(new Error("no lines"));
    onLine({
      severity: request.getSeverity(),
      text: request.getMessage(),
      urn: request.getUrn(),
      ephemeral: request.getEphemeral(),
    });
    answer(null, new sdk.empty.Empty());
  };
  const { EngineService: service } = sdk.engines as unknown as { EngineService: { log: unknown } };
  server.addService({ log: service.log } as never, { log });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", sdk.grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return { server, port };
}

function callsOf(sdk: Sdk, client: ProviderService.ResourceProviderClient) {
  const { messages } = sdk;
  const struct = (bag: Bag) => sdk.structs.Struct.fromJavaScript(bag as never);
  const bagOf = (value: Structs.Struct | undefined) => (value?.toJavaScript() ?? {}) as Bag;
  const call = <Q, A>(
    method: (request: Q, done: (error: Grpc.ServiceError | null, answer: A) => void) => unknown,
    request: Q,
  ) =>
    new Promise<A>((resolve, reject) => {
      method.call(client, request, (error, answer) => {
        if (error === null) resolve(answer);
        else reject(failureOf(sdk, error));
      });
    });

  return {
    configure: async () => {
      const request = new messages.ConfigureRequest();
      request.setArgs(struct({}));
      await call(client.configure as never, request);
    },
    check: async (news: Bag, olds: Bag = {}) => {
      const request = new messages.CheckRequest();
      request.setNews(struct(news));
      request.setOlds(struct(olds));
      const answer = await call<typeof request, ProviderMessages.CheckResponse>(client.check, request);
      const failures = answer
        .getFailuresList()
        .map((one) => ({ property: one.getProperty(), reason: one.getReason() }));
      return { inputs: bagOf(answer.getInputs()), failures };
    },
    diff: async (id: string, olds: Bag, news: Bag) => {
      const request = new messages.DiffRequest();
      request.setId(id);
      request.setOlds(struct(olds));
      request.setNews(struct(news));
      const answer = await call<typeof request, ProviderMessages.DiffResponse>(client.diff, request);
      const changes = (["unknown", "none", "some"] as const)[answer.getChanges()] ?? "unknown";
      return { changes, replaces: answer.getReplacesList(), deleteBeforeReplace: answer.getDeletebeforereplace() };
    },
    create: async (inputs: Bag) => {
      const request = new messages.CreateRequest();
      request.setProperties(struct(inputs));
      const answer = await call<typeof request, ProviderMessages.CreateResponse>(client.create, request);
      return { id: answer.getId(), properties: bagOf(answer.getProperties()) };
    },
    update: async (id: string, olds: Bag, news: Bag) => {
      const request = new messages.UpdateRequest();
      request.setId(id);
      request.setOlds(struct(olds));
      request.setNews(struct(news));
      const answer = await call<typeof request, ProviderMessages.UpdateResponse>(client.update, request);
      return { properties: bagOf(answer.getProperties()) };
    },
    read: async (id: string, properties: Bag) => {
      const request = new messages.ReadRequest();
      request.setId(id);
      request.setProperties(struct(properties));
      const answer = await call<typeof request, ProviderMessages.ReadResponse>(client.read, request);
      return { id: answer.getId(), properties: bagOf(answer.getProperties()) };
    },
    delete: async (id: string, properties: Bag) => {
      const request = new messages.DeleteRequest();
      request.setId(id);
      request.setProperties(struct(properties));
      await call(client.delete as never, request);
    },
  };
}

function failureOf(sdk: Sdk, error: Grpc.ServiceError): CallFailure {
  const [packed] = error.metadata.get("grpc-status-details-bin");
  if (packed === undefined) return new CallFailure(error.details, undefined);
  const [detail] = sdk.status.Status.deserializeBinary(packed as Buffer).getDetailsList();
  const init = sdk.messages.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
  const properties = (init.getProperties()?.toJavaScript() ?? {}) as Bag;
  return new CallFailure(error.details, { id: init.getId(), properties, reasons: init.getReasonsList() });
}
