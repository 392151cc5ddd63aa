import { expect, test } from "vitest";
import { scopesFor, scopesOf, summary } from "./scopes";

const domain = { id: "a", name: "example.com" };

test("sending alone is one scope, everything all of them", () => {
  expect(scopesOf("send", ["domains_read"], true)).toEqual(["email_full"]);
  expect(scopesOf("full", [], false)).toHaveLength(scopesFor(false).length);
  expect(scopesOf("custom", ["domains_read"], false)).toEqual(["domains_read"]);
});

test("a token of one domain has nothing to do with users", () => {
  expect(scopesOf("full", [], true)).toContain("users_full");
  expect(scopesOf("full", [], false)).not.toContain("users_full");
  expect(scopesOf("custom", ["users_read", "email_full"], false)).toEqual(["email_full"]);
});

test("many scopes are told shortly", () => {
  expect(summary({ scopes: ["email_full"], domain })).toBe("Send email");
  expect(summary({ scopes: ["email_full", "domains_read", "analytics_read", "sms_full"], domain })).toBe(
    "Send email, See domains and 2 more",
  );
  expect(summary({ scopes: scopesOf("full", [], false), domain })).toBe("Everything");
  expect(summary({ scopes: scopesOf("full", [], false), domain: null })).toBe(
    "Send email, See domains and 16 more",
  );
  expect(summary({ scopes: scopesOf("full", [], true), domain: null })).toBe("Everything");
});
