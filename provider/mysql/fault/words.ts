/** What the server or the driver said; the `cause` of our errors. The driver's own error is not kept: it holds the SQL. */
export interface MysqlFault {
  /** MySQL's number, 0 where the driver made the error. */
  readonly errno: number;
  /** `ER_ACCESS_DENIED_ERROR`, `PROTOCOL_CONNECTION_LOST`, `ECONNRESET`, ... */
  readonly name: string;
  readonly message: string;
}

/** In its own words, with its number. */
export const said = (fault: MysqlFault): string =>
  fault.errno > 0 ? `${fault.message} (error ${fault.errno})` : fault.message;

export const loginFixes: Readonly<Record<number, string>> = {
  1251: "give the account a login method that both sides have, for example caching_sha2_password",
  1524: "the account's login plugin is not loaded on the server: load it, or ALTER USER ... IDENTIFIED WITH another",
  1129: "run FLUSH HOSTS (since 8.0.23: TRUNCATE performance_schema.host_cache) on the server",
  1130: "create the account for this client's address",
  1820: "the account's password has expired: set a new one with ALTER USER",
  1862: "the account's password has expired: set a new one with ALTER USER",
  3118: "run ALTER USER ... ACCOUNT UNLOCK on the server",
  3955: "wait until the account's lock ends, or run ALTER USER ... ACCOUNT UNLOCK on the server",
};

export const unreachableFixes: Readonly<Record<number, string>> = {
  1040: "the server has no free connection: raise max_connections or end some",
  1053: "the server is shutting down: start it again",
  1203: "the account has no free connection: raise max_user_connections or end some",
  1226: "the account has no free connection: raise its MAX_USER_CONNECTIONS or end some",
};

export function tlsWords(fault: MysqlFault): { what: string; found: string; fix: string } {
  const found = said(fault);
  if (fault.errno === 3159) {
    return { what: "the server accepts encrypted connections only", found, fix: 'set tls: "required"' };
  }
  if (fault.name === "TLS_UNREADABLE") {
    return {
      what: "the certificates cannot be read",
      found,
      fix: "declare the PEM text itself, not the path of a file",
    };
  }
  if (fault.name === "HANDSHAKE_NO_SSL_SUPPORT") {
    return { what: "the server offers no TLS", found, fix: 'give mysqld a certificate, or set tls: "off"' };
  }
  if (/altname|does not match|ERR_TLS_CERT_ALTNAME_INVALID/i.test(fault.message)) {
    return {
      what: "the server's certificate is for another name",
      found,
      fix: "use an address the certificate names, or set tls.verifyIdentity: false",
    };
  }
  if (/certificate|issuer|self.signed/i.test(fault.message)) {
    return {
      what: "the server's certificate is not trusted",
      found,
      fix: "set tls.ca to the certificate of the CA that signed the server's certificate (mysqld creates ca.pem in its data directory)",
    };
  }
  return {
    what: "no TLS connection could be made",
    found,
    fix: "check tls.ca, tls.cert, tls.key and the server's TLS versions",
  };
}
