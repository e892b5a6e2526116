import { createRequire } from "node:module";

/**
 * Internal parts of Pulumi's SDK: the connection back to the engine that started this provider process. Only
 * what is used is typed here. All code must work without it.
 */
export interface EngineClient {
  log(request: LogRequest, metadata: unknown, options: { deadline: number }, done: (error: unknown) => void): void;
  getChannel(): Channel;
}

export interface Channel {
  getConnectivityState(connect: boolean): number;
  watchConnectivityState(current: number, deadline: number, changed: (error?: Error) => void): void;
}

export interface LogRequest {
  setSeverity(severity: number): void;
  setMessage(text: string): void;
  setUrn(urn: string): void;
  setEphemeral(ephemeral: boolean): void;
}

export interface Engine {
  readonly client: EngineClient;
  newRequest(): LogRequest;
  newMetadata(): unknown;
}

interface ClientModule {
  EngineClient: new (address: string, credentials: unknown, options: Record<string, unknown>) => EngineClient;
}
interface MessageModule {
  LogRequest: new () => LogRequest;
}
interface GrpcModule {
  credentials: { createInsecure(): unknown };
  Metadata: new () => unknown;
}

/** grpc.connectivityState */
export const ready = 2;
export const transientFailure = 3;

/** The engine at the address that is the last argument of a provider process; undefined if there is none. */
export function connectEngine(argv: readonly string[]): Engine | undefined {
  const address = argv.at(-1) ?? "";
  if (!/^[^\s/]+:\d+$/.test(address)) return undefined;
  try {
    // Resolved as the SDK resolves it: in pnpm's strict layout Sluice cannot require @grpc/grpc-js.
    const sdk = createRequire(require.resolve("@pulumi/pulumi/package.json"));
    const { EngineClient: Client } = sdk("@pulumi/pulumi/proto/engine_grpc_pb") as ClientModule;
    const messages = sdk("@pulumi/pulumi/proto/engine_pb") as MessageModule;
    const grpc = sdk("@grpc/grpc-js") as GrpcModule;
    // The proxy of http_proxy must not be used for a port of this machine, even if no_proxy does not list it.
    const client = new Client(address, grpc.credentials.createInsecure(), { "grpc.enable_http_proxy": 0 });
    return { client, newRequest: () => new messages.LogRequest(), newMetadata: () => new grpc.Metadata() };
  } catch {
    return undefined;
  }
}
