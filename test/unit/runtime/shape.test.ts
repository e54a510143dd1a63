// A component's imports and exports from its WIT text; whatever the text says, nothing imported is overlooked.
import { expect, test } from "vitest";
import { formatInterface, parseShape } from "../../../src/runtime/shape.ts";

test("reads interfaces with and without versions from the root world alone", () => {
  const wit = [
    "package root:component;",
    "",
    "world root {",
    "  import wasi:io/poll@0.2.12;",
    "  import wasi:config/store@0.2.0-rc.1;",
    "  import plain:thing/here;",
    "",
    "  export outstation:gateway/on-message@0.1.0;",
    "  export init: func(shim: string, script: string) -> result<_, string>;",
    "}",
    "package wasi:cli@0.2.12 {",
    "  world command {",
    "    import wasi:http/types@0.2.12;",
    "  }",
    "}",
  ].join("\n");
  expect(parseShape(wit)).toEqual({
    imports: [
      { name: "wasi:io/poll", version: "0.2.12" },
      { name: "wasi:config/store", version: "0.2.0-rc.1" },
      { name: "plain:thing/here", version: undefined },
    ],
    exports: [{ name: "outstation:gateway/on-message", version: "0.1.0" }],
  });
});

test.each([
  ["a function", "import take: func(text: string) -> string;", /^take: func/],
  ["an interface of its own", "import own: interface {\n    take: func();\n  }", /^own: interface/],
  ["an empty interface", "import own: interface {\n  }\n  import wasi:io/poll@0.2.12;", /^own: interface/],
  ["a bare name", "import something;", /^something$/],
  ["a name that is not one", "import a:b/c@1.0.0@2.0.0;", /^a:b\/c$/],
  ["a resource", "resource pipe {\n    drop: func();\n  }", /^resource pipe/],
])("names %s that is imported, so that admission refuses it", (_what, text, name) => {
  const { imports } = parseShape(`world root {\n  ${text}\n}\n`);
  expect(imports[0]?.name).toMatch(name);
});

test("takes no comment for the world, and none for the end of it", () => {
  const wit = "/// world root {\npackage root:component;\n\n/// }\nworld root {\n  /// }\n  import a:b/c@1.0.0;\n}\n";
  expect(parseShape(wit).imports).toEqual([{ name: "a:b/c", version: "1.0.0" }]);
});

test.each(["", "world root {", "package root:component;", "world other {\n  import a:b/c;\n}", "\u0000\u2028"])(
  "finds nothing in %j",
  (wit) => {
    expect(parseShape(wit)).toEqual({ imports: [], exports: [] });
  },
);

test("reads a very long hostile text in a moment", () => {
  const wit = `world root {\n${"  import x ".repeat(20_000)}\n${"  import y: func(".repeat(20_000)}\n}`;
  expect(parseShape(wit).exports).toEqual([]);
});

test("formats a name as people write it", () => {
  expect(formatInterface({ name: "a:b/c", version: "1.0.0" })).toBe("a:b/c@1.0.0");
  expect(formatInterface({ name: "a:b/c", version: undefined })).toBe("a:b/c");
});
