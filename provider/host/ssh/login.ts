import { utils } from "ssh2";
import type { SshAddress } from "../host";
import { parseHostKey } from "./host-key";
import * as errors from "./errors";

export interface Login {
  readonly attempts: readonly Attempt[];
}

type Attempt =
  | {
      readonly words: string;
      readonly type: "publickey";
      readonly username: string;
      readonly key: string;
      readonly passphrase?: string;
    }
  | { readonly words: string; readonly type: "agent"; readonly username: string; readonly agent: string }
  | { readonly words: string; readonly type: "password"; readonly username: string; readonly password: string }
  | {
      readonly words: string;
      readonly type: "keyboard-interactive";
      readonly username: string;
      readonly password: string;
    };

/** What to log in with, in order. A key that cannot be read is reported at once, not after a refused login. */
export function prepareLogin(object: string, settings: SshAddress): Login {
  const { user: username, passphrase, password } = settings;
  const privateKey = settings.privateKey?.replaceAll("\r\n", "\n");
  const attempts: Attempt[] = [];
  if (privateKey !== undefined) {
    const parsed = utils.parseKey(privateKey, passphrase);
    if ("message" in parsed) throw errors.privateKeyUnusable(object, privateKey, parsed.message);
    if (!parsed.isPrivateKey()) throw errors.privateKeyUnusable(object, privateKey, "not a private key");
    const { type, fingerprint } = parseHostKey(parsed.getPublicSSH());
    const words = `privateKey (${type} ${fingerprint})`;
    attempts.push({
      words,
      type: "publickey",
      username,
      key: privateKey,
      ...(passphrase === undefined ? {} : { passphrase }),
    });
  }
  if (settings.agent !== undefined) {
    const agent = settings.agent === true ? process.env["SSH_AUTH_SOCK"] : settings.agent;
    if (agent === undefined || agent === "") {
      const what = "agent: true, but SSH_AUTH_SOCK is not set where Pulumi runs";
      throw errors.credentialUnusable(object, what, "start ssh-agent and `ssh-add` a key, or declare privateKey");
    }
    attempts.push({ words: `the agent at ${agent}`, type: "agent", username, agent });
  }
  if (password !== undefined) {
    attempts.push({ words: "password", type: "password", username, password });
    attempts.push({
      words: "password (asked by keyboard-interactive)",
      type: "keyboard-interactive",
      username,
      password,
    });
  }
  if (attempts.length === 0) {
    const what = "no way to log in is declared";
    throw errors.credentialUnusable(object, what, "declare one of privateKey, agent, password");
  }
  return { attempts };
}
