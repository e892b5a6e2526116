import { isPasswordOf } from "../../../../../../provider/mysql/instance/accounts/password-hash";

// HEX(authentication_string) of accounts made by MySQL 9.7.4 with caching_sha2_password.
const made: readonly (readonly [string, string])[] = [
  [
    "secret",
    "24412430304124795B722126297771782337542A44724C3E135D576B7A536A6A306477575565384545574446516F614B4F684D4A4C4C596771314F787A623070336C55476830",
  ],
  [
    "p'w\"$\\ ü%;`-- and longer than thirty-two bytes, for the second block of SHA-256",
    "244124303041240565606A7C175A770C690642057718401210041C303454354E687A504C425244336574763575363079797853444A78546A62514279494C56487A7132553637",
  ],
  [
    "x",
    "24412430304124206C542710320C23080F095A797F727355432E4C2E336962683035694C6A4167465A51453469776D586B42336436734A5331526B6751654C686C684979302E",
  ],
];

test.each(made)("the password %j made this hash", (password, hash) => {
  const authentication = Buffer.from(hash, "hex");
  expect(isPasswordOf(authentication, password)).toBe(true);
  expect(isPasswordOf(authentication, `${password}x`)).toBe(false);
});

test("what is not caching_sha2_password's has no password", () => {
  expect(isPasswordOf(Buffer.from("*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"), "password")).toBe(false);
  expect(isPasswordOf(Buffer.alloc(0), "")).toBe(false);
});
