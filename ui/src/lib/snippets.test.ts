import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { dotenv, json, type Relay, SNIPPETS, shell, single } from "./snippets";

const NASTY = `it's "$HOME" \\ \`id\` $(id) #{1} {{x}} %s; é </script>`;
const RELAY: Relay = {
  server: "smtp.example.com",
  port: 587,
  tls: "starttls",
  username: "pr_ab2c4def@example.com",
  password: NASTY,
  from: "hello@example.com",
  to: "you@example.com",
  authority: null,
};

function code(name: string, changes: Partial<Relay> = {}): string {
  const snippet = SNIPPETS.find((one) => one.name === name);
  if (!snippet) throw new Error(name);
  return snippet.code({ ...RELAY, ...changes });
}

test("a shell reads back what was quoted", () => {
  expect(execFileSync("sh", ["-c", `printf %s ${shell(NASTY)}`]).toString()).toBe(NASTY);
  expect(shell("smtp.example.com")).toBe("smtp.example.com");
  expect(shell("")).toBe("''");
});

test("JavaScript reads back what was quoted", () => {
  expect(execFileSync(process.execPath, ["-p", json(`${NASTY}\u2028`)]).toString()).toBe(`${NASTY}\u2028\n`);
  expect(json("é\n")).toBe('"\\u00e9\\n"');
});

test("PHP, Ruby and .env: what is special is escaped, nothing else", () => {
  expect(single(`a'b\\c"d$e`)).toBe(`'a\\'b\\\\c"d$e'`);
  expect(dotenv(`a'b\\c"d$e`)).toBe(`"a'b\\\\c\\"d\\$e"`);
});

test.each(SNIPPETS.map((snippet) => snippet.name))(
  "%s has all that is needed, and quotes the password",
  (name) => {
    for (const tls of ["starttls", "implicit"] as const) {
      const text = code(name, { tls, port: tls === "implicit" ? 465 : 587 });
      for (const part of ["smtp.example.com", tls === "implicit" ? "465" : "587", "pr_ab2c4def@example.com"])
        expect(text).toContain(part);
      const ways = [shell, json, single, dotenv].map((way) => way(NASTY));
      ways.push(shell(`[smtp.example.com]:${tls === "implicit" ? 465 : 587} ${RELAY.username}:${NASTY}`));
      expect(ways.some((way) => text.includes(way))).toBe(true);
      expect(text).not.toMatch(/undefined|null|false\n/);
    }
  },
);

test.each([
  ["swaks", "--tls ", "--tls-on-connect "],
  ["Python", "relay.starttls(context=trust)", "smtplib.SMTP_SSL("],
  ["Node.js", "requireTLS: true", "secure: true"],
  ["PHP", "SMTPSecure = 'tls'", "SMTPSecure = 'ssl'"],
  ["WordPress", "SMTPSecure = 'tls'", "SMTPSecure = 'ssl'"],
  ["Django", "EMAIL_USE_TLS = True", "EMAIL_USE_SSL = True"],
  ["Laravel", "MAIL_SCHEME=smtp\n", "MAIL_SCHEME=smtps\n"],
  ["Rails", "enable_starttls: true", "tls: true,"],
  ["Postfix", "smtp_tls_security_level=secure", "smtp_tls_wrappermode=yes"],
])("%s: the encryption is always asked for", (name, starttls, implicit) => {
  expect(code(name)).toContain(starttls);
  expect(code(name, { tls: "implicit", port: 465 })).toContain(implicit);
});

test.each(SNIPPETS.map((snippet) => snippet.name))(
  "%s trusts the relay's own authority when told to",
  (name) => {
    expect(code(name, { authority: "ca.crt" })).toContain("ca.crt");
    expect(code(name)).not.toContain("ca.crt");
  },
);

test("shells and Node.js find no fault with what is theirs", () => {
  const folder = mkdtempSync(`${tmpdir()}/snippets-`);
  for (const name of ["swaks", "Postfix"])
    execFileSync("sh", ["-n", "-c", code(name, { authority: "ca.crt" })]);
  writeFileSync(`${folder}/send.mjs`, code("Node.js", { authority: "ca.crt" }));
  execFileSync(process.execPath, ["--check", `${folder}/send.mjs`]);
});
