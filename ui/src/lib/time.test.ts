import { expect, test } from "vitest";
import { exact, relative } from "./time";

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);

test.each([
  [0, "just now"],
  [-59_000, "just now"],
  [-60_000, "1 minute ago"],
  [-119_000, "1 minute ago"],
  [3_600_000, "in 1 hour"],
  [-86_400_000, "yesterday"],
  [-40 * 86_400_000, "last month"],
])("%d ms from now is %s", (offset, words) => {
  expect(relative(NOW + offset, NOW)).toBe(words);
});

test("a time is shown in the zone of whoever reads it, and says which", () => {
  expect(exact(NOW, "Asia/Tokyo")).toBe("23 Nov 2026, 21:00:00 GMT+9");
  expect(exact(NOW, "Europe/Berlin")).toContain("13:00:00");
});
