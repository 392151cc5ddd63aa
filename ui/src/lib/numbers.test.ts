import { expect, test } from "vitest";
import { count, duration, share, size } from "./numbers";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KB"],
  [10 * 1024, "10 KB"],
  [25 * 1024 * 1024, "25 MB"],
])("%d octets are %s", (octets, words) => expect(size(octets)).toBe(words));

test.each([
  [0.4, "0 s"],
  [59, "59 s"],
  [60, "1 min"],
  [3600, "1 h"],
  [7500, "2 h 5 min"],
  [72 * 3600, "3 d 0 h"],
])("%d seconds are %s", (seconds, words) => expect(duration(seconds)).toBe(words));

test("shares and counts", () => {
  expect(share(1, 3)).toBe("33.3 %");
  expect(share(5, 5)).toBe("100 %");
  expect(share(0, 0)).toBe("–");
  expect(count(1234567)).toBe("1,234,567");
});
