// Our code reports through provider/report.ts. What reaches the console in a unit test was printed by mistake.
const methods = ["debug", "error", "info", "log", "warn"] as const;
const said: string[] = [];

beforeEach(() => {
  said.length = 0;
  for (const method of methods) {
    jest.spyOn(console, method).mockImplementation((...words: unknown[]) => {
      said.push(`console.${method}: ${words.map(String).join(" ")}`);
    });
  }
});

afterEach(() => {
  jest.restoreAllMocks();
  expect(said).toEqual([]);
});
