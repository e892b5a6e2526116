import {
  allHostPlaces,
  allocateSubnet,
  parseHostName,
  parseSubnet,
  renderAddress,
  renderHardwareAddress,
  requireLabName,
  subnetCount,
} from "../../../lab/address.ts";

describe("networks for labs", () => {
  test("a lab gets the same network again when it is free", () => {
    const first = allocateSubnet("default", new Set());
    expect(allocateSubnet("default", new Set([first + 1]))).toBe(first);
  });

  test("a lab whose network is taken gets the next free one", () => {
    const first = allocateSubnet("default", new Set());
    const next = (first + 1) % subnetCount;
    expect(allocateSubnet("default", new Set([first]))).toBe(next);
    expect(allocateSubnet("default", new Set([first, next]))).toBe((first + 2) % subnetCount);
  });

  test("the search goes round the end of the range and finds the only free network", () => {
    const all = Array.from({ length: subnetCount }, (_, subnet) => subnet);
    expect(allocateSubnet("default", new Set(all.filter((subnet) => subnet !== 3)))).toBe(3);
  });

  test("a machine full of labs is told to take some down", () => {
    const all = new Set(Array.from({ length: subnetCount }, (_, subnet) => subnet));
    expect(() => allocateSubnet("default", all)).toThrow(/no network is free[^]*lab -- down/);
  });

  test("every network is in 198.18.0.0/15, and its addresses lead back to it", () => {
    for (let subnet = 0; subnet < subnetCount; subnet += 1) {
      const address = renderAddress(subnet, 11);
      expect(address).toMatch(/^198\.1[89]\.\d{1,3}\.11$/);
      expect(parseSubnet(address)).toBe(subnet);
    }
    expect(renderAddress(0, 1)).toBe("198.18.0.1");
    expect(renderAddress(511, 1)).toBe("198.19.255.1");
  });

  test("a host keeps its hardware address, and no two hosts share one", () => {
    expect(renderHardwareAddress(1, 11)).toBe("02:00:c6:12:01:0b");
    const all = Array.from({ length: subnetCount }, (_, subnet) =>
      [11, 21].map((octet) => renderHardwareAddress(subnet, octet)),
    );
    expect(new Set(all.flat()).size).toBe(subnetCount * 2);
  });

  test.each(["10.0.0.1", "198.17.0.1", "198.20.0.1", "198.18", ""])("%j belongs to no lab", (address) => {
    expect(parseSubnet(address)).toBeUndefined();
  });
});

describe("names", () => {
  test("hosts have fixed last octets, one for each possible host", () => {
    expect(parseHostName("source")).toEqual({ role: "source", number: 1, octet: 11 });
    expect(parseHostName("source2")).toEqual({ role: "source", number: 2, octet: 12 });
    expect(parseHostName("staging")).toEqual({ role: "staging", number: 1, octet: 21 });
    expect(parseHostName("runner9")).toEqual({ role: "runner", number: 9, octet: 39 });
    const octets = allHostPlaces().map(({ octet }) => octet);
    expect(new Set(octets).size).toBe(27);
  });

  test.each(["", "db", "source1", "source0", "source10", "Source", "staging-2", "source2x"])(
    "%j is refused as a host name, with the names there are",
    (name) => {
      expect(() => parseHostName(name)).toThrow(/is not a name for a lab host[^]*source, staging or runner/);
    },
  );

  test.each(["", "Default", "a/b", "../up", "-x", "1st", "x".repeat(21), "a.b", "a b"])(
    "%j is refused as a lab name",
    (name) => {
      expect(() => requireLabName(name)).toThrow(/is not a name for a lab/);
    },
  );

  test("letters, digits and dashes make a lab name", () => {
    expect(requireLabName("e2e-2")).toBe("e2e-2");
    expect(requireLabName("x".repeat(20))).toBe("x".repeat(20));
  });
});
