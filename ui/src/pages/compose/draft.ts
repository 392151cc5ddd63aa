/** What is written in the form, and the request that it becomes. */
import type { components as Console } from "@/generated/console";
import type { components } from "@/generated/v1";

export type Sender = Console["schemas"]["SenderOut"];

export interface Draft extends Record<string, unknown> {
  /** The id of a domain or sender identity. */
  sender: string;
  /** Before the @, for a domain. */
  local: string;
  name: string;
  to: string;
  subject: string;
  html: string;
  text: string;
}

export const EXAMPLE: Draft = {
  sender: "",
  local: "hello",
  name: "",
  to: "",
  subject: "A test from Postroom",
  html: "<h1>It works</h1>\n<p>This is a test, sent from the dashboard.</p>\n",
  text: "It works\n\nThis is a test, sent from the dashboard.\n",
};

/** The one that was chosen, else the first that can be used. */
export function senderOf(draft: Draft, senders: Sender[]): Sender | undefined {
  return senders.find((one) => one.id === draft.sender) ?? senders.find((one) => one.usable) ?? senders[0];
}

export function bodyOf(draft: Draft, senders: Sender[]): components["schemas"]["EmailRequest"] {
  const sender = senderOf(draft, senders);
  const email = sender?.kind === "identity" ? sender.value : `${draft.local}@${sender?.value ?? ""}`;
  return {
    from: { email, name: draft.name || sender?.name || undefined },
    to: recipients(draft.to).map((address) => ({ email: address })),
    subject: draft.subject,
    html: draft.html.trim() ? draft.html : undefined,
    text: draft.text.trim() ? draft.text : undefined,
  };
}

/** Several are separated by commas. */
function recipients(text: string): string[] {
  return text
    .split(/[,;\n]/)
    .map((address) => address.trim())
    .filter(Boolean);
}
