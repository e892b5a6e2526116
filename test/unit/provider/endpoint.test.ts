import { endpointOf, renderEndpoint } from "../../../provider/endpoint";

test("the text of an endpoint has brackets around an address of version 6, and nothing around others", () => {
  expect(renderEndpoint({ address: "db-1.example.net", port: 3306 })).toBe("db-1.example.net:3306");
  expect(renderEndpoint({ address: "10.0.0.7", port: 3307 })).toBe("10.0.0.7:3307");
  expect(renderEndpoint({ address: "2001:db8::1", port: 3306 })).toBe("[2001:db8::1]:3306");
});

describe("the endpoint of a server", () => {
  const host = { address: "stage-1", port: 22, user: "root" };

  test("is named by its host if it is reached by a socket or over the loopback there", () => {
    for (const address of [undefined, "127.0.0.1", "127.1.2.3", "::1", "localhost"])
      expect(endpointOf({ host, address, port: 3307 })).toBe("stage-1:3307");
    expect(endpointOf({ host: "local", port: 3307 })).toBe("local:3307");
    expect(endpointOf({ address: "::1", port: 3307 })).toBe("local:3307");
  });

  test("is its address if it is another machine than its host, with MySQL's port unless another is named", () => {
    expect(endpointOf({ host, address: "db-1" })).toBe("db-1:3306");
    expect(endpointOf({ host, address: "2001:db8::1" })).toBe("[2001:db8::1]:3306");
    expect(endpointOf({ host: { ...host, address: "2001:db8::2" }, port: 3307 })).toBe("[2001:db8::2]:3307");
  });
});
