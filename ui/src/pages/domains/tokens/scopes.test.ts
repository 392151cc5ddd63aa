import { expect, test } from "vitest";
import { SCOPES, scopesOf, summary } from "./scopes";

test("sending alone is one scope, everything all of them", () => {
  expect(scopesOf("send", ["domains_read"])).toEqual(["email_full"]);
  expect(scopesOf("full", [])).toHaveLength(SCOPES.length);
  expect(scopesOf("custom", ["domains_read"])).toEqual(["domains_read"]);
});

test("many scopes are told shortly", () => {
  expect(summary(["email_full"])).toBe("Send email");
  expect(summary(["email_full", "domains_read", "analytics_read", "sms_full"])).toBe(
    "Send email, See domains and 2 more",
  );
  expect(summary(scopesOf("full", []))).toBe("Everything");
});
