import { expect, test } from "vitest";
import { bodyOf, EXAMPLE, type Sender } from "./draft";

function sender(id: string, value: string, more: Partial<Sender> = {}): Sender {
  return {
    id,
    domain_id: id,
    kind: "domain",
    value,
    name: "",
    state: "ready",
    usable: true,
    note: "",
    ...more,
  };
}

const DOMAIN = sender("d", "example.com");
const IDENTITY = sender("i", "ceo@example.net", { kind: "identity", name: "The CEO" });

test("the address is made of what stands before the @ and the domain", () => {
  const body = bodyOf({ ...EXAMPLE, sender: "d", local: "shop", to: "a@b.test, c@d.test;" }, [
    IDENTITY,
    DOMAIN,
  ]);
  expect(body.from).toEqual({ email: "shop@example.com", name: undefined });
  expect(body.to).toEqual([{ email: "a@b.test" }, { email: "c@d.test" }]);
});

test("an identity brings its address and its name, unless another is given", () => {
  expect(bodyOf({ ...EXAMPLE, sender: "i" }, [IDENTITY]).from).toEqual({
    email: "ceo@example.net",
    name: "The CEO",
  });
  expect(bodyOf({ ...EXAMPLE, sender: "i", name: "Eve" }, [IDENTITY]).from?.name).toBe("Eve");
});

test("unless one is chosen it is the first that can be used; an empty text is none", () => {
  const body = bodyOf({ ...EXAMPLE, text: " \n" }, [sender("u", "no.test", { usable: false }), DOMAIN]);
  expect(body.from?.email).toBe("hello@example.com");
  expect(body.text).toBeUndefined();
});
