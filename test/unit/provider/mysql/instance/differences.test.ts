import {
  differences,
  isStartOnly,
  runningDifferences,
  type Configuration,
} from "../../../../../provider/mysql/instance/differences";
import { instanceOf } from "../../../../samples/server";

const configured = (options: string): Configuration => ({
  optionText: `[mysqld]\n${options}\n`,
  unitText: "[Service]",
  init: { osUser: "root", digest: "a" },
});

const found = (options: string) => ({ ...configured(options), refusesUs: false });

const words = (should: string, is: string): string[] =>
  differences(instanceOf(), configured(should), found(is)).map(
    (one) => `${one.property}: ${one.from} > ${one.to}${isStartOnly(one) ? ", at a start" : ""}`,
  );

test.each<[string, string, string, string[]]>([
  ["the same in other words", "max_connections=9\nskip-name-resolve", "max-connections = 9\nskip_name_resolve=ON", []],
  ["another value", "max_connections=9", "max_connections=8", ["max_connections: 8 > 9"]],
  ["a new loose option", "loose-x_speed=9", "", ["loose_x_speed: default > 9, at a start"]],
  ["another value of a loose option", "loose_x=9", "loose_x=8", ["loose_x: 8 > 9, at a start"]],
  ["a loose option taken out, which SET may not know", "", "loose_x=8", ["loose_x: 8 > default, at a start"]],
  ["a loose option made strict", "x=9", "loose_x=9", []],
  ["an option that is no variable", "replicate_do_db=a", "", ["replicate_do_db: default > a, at a start"]],
  ["of another program", "", "[client]\nloose_x=1", []],
])("%s", (_name, should, is, expected) => {
  expect(words(should, is)).toEqual(expected);
});

test("a unit that was changed is read at a start, an init file that was changed is only written", () => {
  const is = { ...found("port=1"), unitText: "edited", init: { osUser: "root", digest: "b" } };
  const all = differences(instanceOf(), configured("port=1"), is);
  expect(all.map((one) => [one.property, isStartOnly(one)])).toEqual([
    ["unit", true],
    ["init file", false],
  ]);
});

test("what runs is compared with the file, but for what only a start could change and what the server made of it", () => {
  const running = (variables: Record<string, string>) =>
    runningDifferences(
      instanceOf(),
      configured("max_connections=9\nport=1\nserver_id=5\nloose_x=3\nbig=300M").optionText,
      variables,
      { big: { asked: "300M", got: "384" } },
    ).map(({ property, from, to }) => `${property}: ${from} > ${to}`);
  expect(running({ max_connections: "9", port: "2", server_id: "6", x: "3", big: "384", other: "1" })).toEqual([]);
  expect(running({ max_connections: "8", x: "4", big: "100" })).toEqual([
    "max_connections: 8 > 9",
    "x: 4 > 3",
    "big: 100 > 300M",
  ]);
});
