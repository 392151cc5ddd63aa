import { expect, test } from "vitest";
import { within } from "./fields";

test("what is wrong with one value stands at its field, and at no other", () => {
  const errors = { "addresses.1": "is no network", address: "is missing" };
  expect(within(errors, "addresses")).toBe("is no network");
  expect(within(errors, "address")).toBe("is missing");
  expect(within(errors, "addr")).toBeUndefined();
});
