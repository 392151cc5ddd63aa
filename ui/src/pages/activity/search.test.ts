import { expect, test } from "vitest";
import { type Filters, type FoundEmail, merged, queryOf } from "./search";

const NONE: Filters = {
  recipient: "",
  subject: "",
  state: "",
  domain: "",
  event: "",
  tag: "",
  from: "",
  to: "",
  message: "",
};

test("nothing is asked that was not given, or is too short", () => {
  expect(queryOf({ ...NONE, recipient: "a", subject: "ab", from: "yesterday" }, "UTC")).toEqual({});
});

test("days are whole ones, in the zone of the person", () => {
  const query = queryOf({ ...NONE, from: "2026-11-23", to: "2026-11-23" }, "Europe/Berlin");
  expect(query.date_from).toBe(String(Date.UTC(2026, 10, 22, 23) / 1000));
  expect(query.date_to).toBe(String(Date.UTC(2026, 10, 23, 23) / 1000 - 1));
});

test("a pasted Message-ID gives the id", () => {
  const query = queryOf({ ...NONE, message: "<0195f0c2a7d1000001a2b3c4@relay.test>" }, "UTC");
  expect(query.message_id).toBe("0195f0c2a7d1000001a2b3c4");
});

function email(id: string, state = "queued"): FoundEmail {
  return { id, state } as FoundEmail;
}

test("what changed takes its place, what is new comes on top, what is older than the list stays out", () => {
  const pages = [{ data: [email("5"), email("4")] }, { data: [email("3")] }];
  const changed = [email("7"), email("6"), email("3", "delivered"), email("1", "bounced")];
  expect(merged(pages, changed)).toEqual([
    { data: [email("7"), email("6"), email("5"), email("4")] },
    { data: [email("3", "delivered")] },
  ]);
});

test("a list without rows takes what comes", () => {
  expect(merged([{ data: [] }], [email("1")])).toEqual([{ data: [email("1")] }]);
});
