import type { Duplex } from "node:stream";
import type { ConnectionOptions, TypeCastField } from "mysql2";
import { defaultPort } from "../endpoint";
import { type ServerAddress } from "./address";
import { nameStream, tlsOptions } from "./tls";

/** How mysql2 talks over a stream that is open already. */
export function driverOptions(server: ServerAddress, stream: Duplex): ConnectionOptions {
  const options: ConnectionOptions = {
    stream,
    user: server.user,
    ...(server.password !== undefined && { password: server.password }),
    charset: "utf8mb4_general_ci",
    // Rows: no conversion that loses digits, time zones or key order.
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
    typeCast: castCell,
    multipleStatements: false,
    flags: ["-LOCAL_FILES"],
    connectAttributes: { program_name: "sluice" },
    // Our own limit covers name, address, ssh and login together.
    connectTimeout: 0,
    trace: false,
  };
  // The driver takes a socketPath for a secure transport: a password may be sent as it is, without the RSA exchange.
  if (server.socket !== undefined) return { ...options, socketPath: server.socket };
  const address = server.address ?? "localhost";
  nameStream(stream, address);
  const ssl = tlsOptions(server);
  return { ...options, host: address, port: server.port ?? defaultPort, ...(ssl && { ssl }) };
}

/** Eight-byte integers come as text: a number where it is exact, so that ids, ports and seconds need no bigint. */
function castCell(field: TypeCastField, next: () => unknown): unknown {
  const value = next();
  if (field.type !== "LONGLONG" || typeof value !== "string") return value;
  const exact = Number(value);
  return Number.isSafeInteger(exact) ? exact : BigInt(value);
}
