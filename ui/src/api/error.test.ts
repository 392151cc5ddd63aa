import { expect, test } from "vitest";
import { errorOf, withoutNumber } from "./error";

function answer(body: unknown, status: number, headers: Record<string, string> = {}): Response {
  return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
}

test("wrong fields are told by their paths, without the numbers for programs", async () => {
  const error = await errorOf(
    answer(
      {
        message: "The email must be a valid email address. #MS42208 (and 1 more error)",
        errors: {
          email: ["The email must be a valid email address. #MS42208"],
          "domains.0": ["The selected domains.0 is invalid.", "Another."],
        },
      },
      422,
    ),
  );
  expect(error.message).toBe("The email must be a valid email address. (and 1 more error)");
  expect(error.fields).toEqual({
    email: "The email must be a valid email address.",
    "domains.0": "The selected domains.0 is invalid. Another.",
  });
});

test("a refusal names its rule, when to try again, and the request", async () => {
  const error = await errorOf(
    answer({ message: "Too many tries." }, 429, {
      "x-refusal": "password-tries",
      "retry-after": "60",
      "x-request-id": "abc",
    }),
  );
  expect(error).toMatchObject({
    status: 429,
    rule: "password-tries",
    retryAfter: 60,
    requestId: "abc",
    fields: {},
  });
});

test.each([["<html>Bad gateway</html>"], [[]], [null], [{ message: 5, errors: "no" }]])(
  "a body that is not ours leaves the status: %j",
  async (body) => {
    const error = await errorOf(answer(body, 502));
    expect(error.message).toBe("The answer was 502.");
    expect(error.fields).toEqual({});
  },
);

test("only our numbers are taken out of a text", () => {
  expect(withoutNumber("Order #5 failed. #MS42901")).toBe("Order #5 failed.");
});
