import { expect, test } from "vitest";
import { nameFor, PROVIDERS, type Provider, valueFor } from "./providers";

function provider(key: string): Provider {
  const found = PROVIDERS.find((one) => one.key === key);
  if (!found) throw new Error(key);
  return found;
}

test.each([
  ["cloudflare", "pr1._domainkey.example.com", "example.com", "pr1._domainkey"],
  ["godaddy", "pr1._domainkey.mail.example.com", "example.com", "pr1._domainkey.mail"],
  ["godaddy", "example.com", "example.com", "@"],
  ["godaddy", "notexample.com", "example.com", "notexample.com"],
  ["other", "pr1._domainkey.example.com", "example.com", "pr1._domainkey.example.com"],
])("%s: %s in %s is %s", (key, hostname, zone, name) =>
  expect(nameFor(provider(key), hostname, zone)).toBe(name),
);

test("targets end with a dot where the provider would add the zone", () => {
  const record = { type: "CNAME", value: "bounce.example.net" } as const;
  expect(valueFor(provider("hetzner"), record)).toBe("bounce.example.net.");
  expect(valueFor(provider("cloudflare"), record)).toBe("bounce.example.net");
});

test("Route 53 gets texts in quotes and in pieces", () => {
  const text = `v=DKIM1; p=${"A".repeat(392)}`;
  const value = valueFor(provider("route53"), { type: "TXT", value: text });
  expect(value).toMatch(/^"[^"]{255}" "[^"]+"$/);
  expect(value.replaceAll('"', "").replace(" A", "A")).toBe(text);
  expect(valueFor(provider("other"), { type: "TXT", value: text })).toBe(text);
});
