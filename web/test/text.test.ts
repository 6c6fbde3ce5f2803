import { describe, expect, it } from "vitest";
import { safeLink, size } from "../src/app/text";

describe("a link of somebody else's", () => {
  it.each([
    "javascript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,x",
    "http://files.example/a",
    "s3://bucket/a",
    "//files.example/a",
    "files/a",
    "https://bank.example@files.example/a",
    "https://a:b@files.example/a",
    "",
    undefined,
  ])("is none where it could do harm: %s", (url) => {
    expect(safeLink(url)).toBeUndefined();
  });

  it("is one with https", () => {
    expect(safeLink("https://files.example/a b?x=1")).toBe("https://files.example/a%20b?x=1");
  });
});

describe("a size", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [1_234_567, "1.2 MB"],
    [5_000_000_000, "5.0 GB"],
  ])("of %d bytes is %s", (bytes, shown) => {
    expect(size(bytes)).toBe(shown);
  });
});
